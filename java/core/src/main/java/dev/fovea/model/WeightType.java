package dev.fovea.model;

import dev.fovea.tensor.DType;

/**
 * What the weights of a model's linear layers are kept as in memory, whatever its files hold. Embeddings, norms and
 * biases stay {@code F32}; on a GPU word embeddings are kept as these weights are.
 */
public enum WeightType {
    /** Single precision: 4 bytes per weight. */
    F32(DType.F32),
    /**
     * bfloat16, rounded to nearest even: half the memory. On a CPU that multiplies bfloat16, the kernel table {@code
     * avx512bf16}, the rows that come in are rounded to it too, and products take little more than half the time of
     * {@code F32}; elsewhere arithmetic is in single precision. Sums are always in single precision.
     */
    BF16(DType.BF16),
    /** binary16, rounded to nearest even: half the memory; on {@link dev.fovea.Backend#CUDA} alone. */
    F16(DType.F16),
    /**
     * Eight bits with a scale per output: a quarter of the memory. The rows that come in are rounded to eight bits too,
     * each with a scale of its own, so a text's vector still does not depend on company.
     * Not on {@link dev.fovea.Backend#CUDA}.
     */
    INT8(DType.I8);

    private final DType dtype;

    WeightType(DType dtype) {
        this.dtype = dtype;
    }

    /** The type of a stored weight. */
    DType dtype() {
        return dtype;
    }
}
