package dev.fovea.model;

import dev.fovea.tensor.Layout;

/** What the matrices of a GGUF file are rounded to. Vectors stay F32. */
public enum GgufFileType {
    /** binary32. */
    F32(Layout.F32, 0),
    /** binary16. */
    F16(Layout.F16, 1),
    /** The upper half of a binary32. */
    BF16(Layout.BF16, 32),
    /** Blocks of 32 values of eight bits, 8.5 bits a value. */
    Q8_0(Layout.Q8_0, 7),
    /** Blocks of 32, 4.5 bits a value. */
    Q4_0(Layout.Q4_0, 2),
    /** Blocks of 32 with minima, 5 bits a value. */
    Q4_1(Layout.Q4_1, 3),
    /** Blocks of 32, 5.5 bits a value. */
    Q5_0(Layout.Q5_0, 8),
    /** Blocks of 32 with minima, 6 bits a value. */
    Q5_1(Layout.Q5_1, 9),
    /** Blocks of 32 whose 16 values lie closer near 0, 4.5 bits a value. */
    IQ4_NL(Layout.IQ4_NL, 25),
    /** Blocks of 256 with minima, 2.6 bits a value. */
    Q2_K(Layout.Q2_K, 10),
    /** Blocks of 256, 3.4 bits a value. */
    Q3_K(Layout.Q3_K, 11),
    /** Blocks of 256 with minima, 4.5 bits a value. */
    Q4_K(Layout.Q4_K, 14),
    /** Blocks of 256 with minima, 5.5 bits a value. */
    Q5_K(Layout.Q5_K, 16),
    /** Blocks of 256, 6.6 bits a value. */
    Q6_K(Layout.Q6_K, 18),
    /** A mix as llama.cpp chooses it: Q4_K, and Q6_K for the matrix of logits, some of values and of down projections. */
    Q4_K_M(Layout.Q4_K, 15);

    private final Layout layout;
    private final int code;

    GgufFileType(Layout layout, int code) {
        this.layout = layout;
        this.code = code;
    }

    /** What most matrices become. */
    Layout layout() {
        return layout;
    }

    /** Its number as llama.cpp's {@code general.file_type}. */
    int code() {
        return code;
    }
}
