package dev.fovea.internal.host;

import dev.fovea.tensor.Layout;
import java.lang.foreign.MemorySegment;

/**
 * A weight as one engine's linear kernel streams it. Lives as long as the arena it was packed into.
 *
 * @param data panels, aligned to 64 bytes
 * @param kept what the weight is kept as: F32, F16, BF16, I8 or a layout of blocks
 * @param layout the {@linkplain dev.fovea.Engine#isa() kernel table} that reads them; other tables refuse
 */
public record PackedLinear(MemorySegment data, int outputs, int inputs, Layout kept, String layout) {}
