package dev.fovea.weights;

import dev.fovea.tensor.DType;
import java.util.Optional;
import java.util.OptionalLong;

/** The element types of the safetensors format; those without a {@link DType} are known by size alone. */
enum StoredType {
    BOOL(8, null),
    F4(4, null),
    F6_E2M3(6, null),
    F6_E3M2(6, null),
    F8_E5M2(8, null),
    F8_E4M3(8, null),
    F8_E5M2FNUZ(8, null),
    F8_E4M3FNUZ(8, null),
    F8_E8M0(8, null),
    U8(8, DType.U8),
    I8(8, DType.I8),
    U16(16, null),
    I16(16, null),
    F16(16, DType.F16),
    BF16(16, DType.BF16),
    U32(32, null),
    I32(32, DType.I32),
    F32(32, DType.F32),
    C64(64, null),
    U64(64, null),
    I64(64, DType.I64),
    F64(64, null);

    private final int bits;
    private final DType dtype;

    StoredType(int bits, DType dtype) {
        this.bits = bits;
        this.dtype = dtype;
    }

    /** The type of this name, as headers write it. */
    static Optional<StoredType> of(String word) {
        for (StoredType type : values()) {
            if (type.name().equals(word)) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }

    /** The tensor type of the same layout, if there is one. */
    Optional<DType> dtype() {
        return Optional.ofNullable(dtype);
    }

    /** The size of a dense tensor; empty where it overflows or is not a whole number of bytes. */
    OptionalLong bytes(long[] shape) {
        try {
            long size = bits;
            for (long dimension : shape) {
                size = Math.multiplyExact(size, dimension);
            }
            return size % Byte.SIZE == 0 ? OptionalLong.of(size / Byte.SIZE) : OptionalLong.empty();
        } catch (ArithmeticException e) {
            return OptionalLong.empty();
        }
    }
}
