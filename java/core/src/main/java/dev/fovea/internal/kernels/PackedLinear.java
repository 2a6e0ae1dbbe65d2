package dev.fovea.internal.kernels;

import java.lang.foreign.MemorySegment;

/**
 * A weight as one backend's linear kernel streams it. Lives as long as the arena it was packed into.
 *
 * @param data backend-specific panels
 */
public record PackedLinear(MemorySegment data, int outputs, int inputs) {}
