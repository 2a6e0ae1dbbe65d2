package dev.fovea.model;

import dev.fovea.tensor.Layout;
import dev.fovea.tensor.WeightStorage;

/**
 * What the weights of a model's linear layers are kept as in memory, whatever its files hold. Embeddings, norms and
 * biases stay {@code F32}; on a GPU word embeddings are kept as these weights are.
 */
public enum WeightType {
    /** Single precision: 4 bytes per weight. */
    F32(Layout.F32),
    /**
     * bfloat16, rounded to nearest even: half the memory. On a CPU that multiplies bfloat16 fast, the kernel tables {@code
     * avx512bf16} (AMD since Zen 4) and {@code neonbf16}, the rows that come in are rounded to it too, and on x86-64 products take
     * little more than half the time of {@code F32}; elsewhere arithmetic is in single precision. Sums are always in single
     * precision.
     */
    BF16(Layout.BF16),
    /** binary16, rounded to nearest even: half the memory. */
    F16(Layout.F16),
    /**
     * Eight bits with a scale per output: a quarter of the memory. The rows that come in are rounded to eight bits too,
     * each with a scale of its own, so a text's vector still does not depend on company.
     * Not on {@link dev.fovea.Backend#CUDA}.
     */
    INT8(Layout.I8),
    /**
     * Each weight as its file has it, such as the blocks of a GGUF file: no value is rounded again, and a file of four
     * bits takes four in memory. The rows that come to a weight in blocks are rounded to eight bits, each 32 values with a
     * scale of their own. Not on {@link dev.fovea.Backend#CUDA}.
     */
    STORED(null),
    /** GGUF's blocks of 32 values of eight bits, 8.5 bits a value, rounded at load if the file has others; as those below. */
    Q8_0(Layout.Q8_0),
    /** Blocks of 32, 4.5 bits a value. */
    Q4_0(Layout.Q4_0),
    /** Blocks of 32 with minima, 5 bits a value. */
    Q4_1(Layout.Q4_1),
    /** Blocks of 32, 5.5 bits a value. */
    Q5_0(Layout.Q5_0),
    /** Blocks of 32 with minima, 6 bits a value. */
    Q5_1(Layout.Q5_1),
    /** Blocks of 32 whose 16 values lie closer near 0, 4.5 bits a value. */
    IQ4_NL(Layout.IQ4_NL),
    /** Blocks of 256 with minima, 2.6 bits a value. */
    Q2_K(Layout.Q2_K),
    /** Blocks of 256, 3.4 bits a value. */
    Q3_K(Layout.Q3_K),
    /** Blocks of 256 with minima, 4.5 bits a value. */
    Q4_K(Layout.Q4_K),
    /** Blocks of 256 with minima, 5.5 bits a value. */
    Q5_K(Layout.Q5_K),
    /** Blocks of 256, 6.6 bits a value. */
    Q6_K(Layout.Q6_K);

    private final Layout layout;

    WeightType(Layout layout) {
        this.layout = layout;
    }

    /** What linear layers keep their weights as. */
    WeightStorage storage() {
        return layout == null ? WeightStorage.AS_STORED : new WeightStorage(layout);
    }
}
