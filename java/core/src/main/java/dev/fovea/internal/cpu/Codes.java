package dev.fovea.internal.cpu;

import dev.fovea.internal.ffi.FoveaH;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;

/** The constants of {@code fovea.h} that stand for our enumerations. */
final class Codes {
    private Codes() {}

    static int of(Activation activation) {
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

    static int of(Pooling mode) {
        return switch (mode) {
            case MEAN -> FoveaH.FOVEA_POOLING_MEAN();
            case CLS -> FoveaH.FOVEA_POOLING_CLS();
            case LAST -> FoveaH.FOVEA_POOLING_LAST();
        };
    }

    /** Of a type that weights are packed as. */
    static int ofPacked(DType dtype) {
        return switch (dtype) {
            case BF16 -> FoveaH.FOVEA_DTYPE_BF16();
            case I8 -> FoveaH.FOVEA_DTYPE_I8();
            default -> FoveaH.FOVEA_DTYPE_F32();
        };
    }
}
