package dev.fovea.internal.cpu;

import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.ffi.FoveaH;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask.Alignment;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;

/** The constants of {@code fovea.h} that stand for our enumerations. */
public final class Codes {
    private Codes() {}

    /** An activation. */
    public static int of(Activation activation) {
        return switch (activation) {
            case NONE -> FoveaH.FOVEA_ACTIVATION_NONE();
            case GELU_ERF -> FoveaH.FOVEA_ACTIVATION_GELU_ERF();
            case GELU_TANH -> FoveaH.FOVEA_ACTIVATION_GELU_TANH();
            case RELU -> FoveaH.FOVEA_ACTIVATION_RELU();
            case SILU -> FoveaH.FOVEA_ACTIVATION_SILU();
            case TANH -> FoveaH.FOVEA_ACTIVATION_TANH();
            case QUICK_GELU -> FoveaH.FOVEA_ACTIVATION_QUICK_GELU();
        };
    }

    /** A pooling. */
    public static int of(Pooling mode) {
        return switch (mode) {
            case MEAN -> FoveaH.FOVEA_POOLING_MEAN();
            case CLS -> FoveaH.FOVEA_POOLING_CLS();
            case LAST -> FoveaH.FOVEA_POOLING_LAST();
        };
    }

    /** A floating-point type of tensors. */
    public static int of(DType dtype) {
        return switch (dtype) {
            case F32 -> FoveaH.FOVEA_DTYPE_F32();
            case F16 -> FoveaH.FOVEA_DTYPE_F16();
            case BF16 -> FoveaH.FOVEA_DTYPE_BF16();
            case I64, I32, I8, U8 -> throw new AssertionError(dtype);
        };
    }

    /** The type of pages. */
    static int ofPages(Tensor pages) {
        return CachePages.areBlocks(pages) ? FoveaH.FOVEA_LAYOUT_Q8_0() : of(pages.dtype());
    }

    /** The pairs that RoPE turns; null for none. */
    public static int of(Rope rope) {
        return rope == null ? FoveaH.FOVEA_ROPE_NONE() : switch (rope.layout()) {
            case INTERLEAVED -> FoveaH.FOVEA_ROPE_INTERLEAVED();
            case HALF -> FoveaH.FOVEA_ROPE_HALF();
        };
    }

    /** Which key lies on a diagonal. */
    public static int of(Alignment alignment) {
        return switch (alignment) {
            case BOTTOM_RIGHT -> FoveaH.FOVEA_ALIGN_BOTTOM_RIGHT();
            case TOP_LEFT -> FoveaH.FOVEA_ALIGN_TOP_LEFT();
        };
    }
}
