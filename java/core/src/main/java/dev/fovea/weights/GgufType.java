package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;

/**
 * The types of tensors that GGUF numbers: bytes and values of a block, and what they are here. Those without a
 * {@link Layout} are known by size alone.
 */
enum GgufType {
    F32(0, 4, 1),
    F16(1, 2, 1),
    Q4_0(2, 18, 32),
    Q4_1(3, 20, 32),
    Q5_0(6, 22, 32),
    Q5_1(7, 24, 32),
    Q8_0(8, 34, 32),
    Q8_1(9, 36, 32),
    Q2_K(10, 84, 256),
    Q3_K(11, 110, 256),
    Q4_K(12, 144, 256),
    Q5_K(13, 176, 256),
    Q6_K(14, 210, 256),
    Q8_K(15, 292, 256),
    IQ2_XXS(16, 66, 256),
    IQ2_XS(17, 74, 256),
    IQ3_XXS(18, 98, 256),
    IQ1_S(19, 50, 256),
    IQ4_NL(20, 18, 32),
    IQ3_S(21, 110, 256),
    IQ2_S(22, 82, 256),
    IQ4_XS(23, 136, 256),
    I8(24, 1, 1),
    I16(25, 2, 1),
    I32(26, 4, 1),
    I64(27, 8, 1),
    F64(28, 8, 1),
    IQ1_M(29, 56, 256),
    BF16(30, 2, 1),
    TQ1_0(34, 54, 256),
    TQ2_0(35, 66, 256),
    MXFP4(39, 17, 32);

    private final int code;
    private final int blockBytes;
    private final int blockValues;

    GgufType(int code, int blockBytes, int blockValues) {
        this.code = code;
        this.blockBytes = blockBytes;
        this.blockValues = blockValues;
    }

    /** The type of this number, or null. */
    static GgufType of(int code) {
        for (GgufType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }

    /** The type of the same floating-point numbers as a layout, or null. */
    static GgufType of(Layout layout) {
        for (GgufType type : values()) {
            if (type.layout() == layout) {
                return type;
            }
        }
        return null;
    }

    /** Its number in files. */
    int code() {
        return code;
    }

    /** The number of values in a block. */
    int blockValues() {
        return blockValues;
    }

    /**
     * Bytes of this many values, which are whole blocks.
     *
     * @throws ArithmeticException if they are more than a long counts
     */
    long bytes(long values) {
        return Math.multiplyExact(values / blockValues, (long) blockBytes);
    }

    /** The tensor type of the same values, or null. */
    DType dtype() {
        return switch (this) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case I8 -> DType.I8;
            case I32 -> DType.I32;
            case I64 -> DType.I64;
            default -> null;
        };
    }

    /** The layout of the same floating-point numbers, or null. */
    Layout layout() {
        return switch (this) {
            case F32 -> Layout.F32;
            case F16 -> Layout.F16;
            case BF16 -> Layout.BF16;
            case Q4_0 -> Layout.Q4_0;
            case Q4_1 -> Layout.Q4_1;
            case Q5_0 -> Layout.Q5_0;
            case Q5_1 -> Layout.Q5_1;
            case Q8_0 -> Layout.Q8_0;
            case Q4_K -> Layout.Q4_K;
            case Q5_K -> Layout.Q5_K;
            case Q6_K -> Layout.Q6_K;
            case Q2_K -> Layout.Q2_K;
            case Q3_K -> Layout.Q3_K;
            case IQ4_NL -> Layout.IQ4_NL;
            default -> null;
        };
    }
}
