package dev.fovea.weights;

import dev.fovea.tensor.DType;

/**
 * The element types of ONNX that have a {@link DType}, with the field of {@code TensorProto} that
 * holds their elements where {@code raw_data} does not.
 */
enum OnnxType {
    FLOAT(1, DType.F32, OnnxType.FLOAT_DATA),
    UINT8(2, DType.U8, OnnxType.INT32_DATA),
    INT8(3, DType.I8, OnnxType.INT32_DATA),
    INT32(6, DType.I32, OnnxType.INT32_DATA),
    INT64(7, DType.I64, OnnxType.INT64_DATA),
    FLOAT16(10, DType.F16, OnnxType.INT32_DATA),
    BFLOAT16(16, DType.BF16, OnnxType.INT32_DATA);

    static final int FLOAT_DATA = 4;
    static final int INT32_DATA = 5;
    static final int INT64_DATA = 7;

    private final int code;
    private final DType dtype;
    private final int dataField;

    OnnxType(int code, DType dtype, int dataField) {
        this.code = code;
        this.dtype = dtype;
        this.dataField = dataField;
    }

    /** The type of this {@code TensorProto.DataType}, or null where there is no {@link DType} for it. */
    static OnnxType of(long code) {
        for (OnnxType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }

    DType dtype() {
        return dtype;
    }

    /** The number of the field that holds elements one by one. */
    int dataField() {
        return dataField;
    }

    /** Whether an element stored as an integer can have this value. */
    boolean holds(long value) {
        return switch (this) {
            case INT8 -> value == (byte) value;
            case UINT8 -> value == (value & 0xff);
            case FLOAT16, BFLOAT16 -> value == (value & 0xffff);
            case INT32 -> value == (int) value;
            case INT64 -> true;
            case FLOAT -> false;
        };
    }
}
