package dev.fovea.internal.backend;

import dev.fovea.tensor.DType;
import java.util.List;

/**
 * A graph as a backend compiles it: steps in the order of their running, and where all they touch lies.
 *
 * @param steps what to do
 * @param weights the type that weights of linear layers are kept as: F32, BF16 or I8
 * @param outputs what the caller reads, in buffers of their own with dense rows
 * @param tokenElements elements of 4 bytes that an execution needs per token of its capacity
 * @param sequenceElements likewise per sequence
 * @param limits what a batch may hold
 */
public record LoweredPlan(List<Step> steps, DType weights, List<Operand> outputs, long tokenElements,
        long sequenceElements, BatchLimits limits) {}
