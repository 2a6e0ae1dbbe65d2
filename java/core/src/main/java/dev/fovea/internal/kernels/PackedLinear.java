package dev.fovea.internal.kernels;

import java.lang.foreign.MemorySegment;

/**
 * A weight as one engine's linear kernel streams it. Lives as long as the arena it was packed into.
 *
 * @param data panels, aligned to 64 bytes
 * @param layout the {@linkplain dev.fovea.Engine#isa() kernel table} that reads them; other tables refuse
 */
public record PackedLinear(MemorySegment data, int outputs, int inputs, String layout) {}
