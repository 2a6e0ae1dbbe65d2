package dev.fovea.internal.host;

import dev.fovea.tensor.DType;
import java.lang.foreign.MemorySegment;

/**
 * A weight as one engine's linear kernel streams it. Lives as long as the arena it was packed into.
 *
 * @param data panels, aligned to 64 bytes
 * @param dtype the type that the weight is stored as: F32, BF16 or I8
 * @param layout the {@linkplain dev.fovea.Engine#isa() kernel table} that reads them; other tables refuse
 */
public record PackedLinear(MemorySegment data, int outputs, int inputs, DType dtype, String layout) {}
