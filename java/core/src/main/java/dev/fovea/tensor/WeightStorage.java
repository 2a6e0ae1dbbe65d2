package dev.fovea.tensor;

/**
 * What the weights of linear layers are kept as in memory: all in one layout, or each as it is stored.
 *
 * @param layout any but U8; null for as stored
 */
public record WeightStorage(Layout layout) {
    /** Each as its file has it: F16, BF16 and blocks such as Q4_K as they are; integers with scales beside them as F32. */
    public static final WeightStorage AS_STORED = new WeightStorage(null);

    /** @throws IllegalArgumentException if no weight is kept in {@code layout} */
    public WeightStorage {
        if (layout == Layout.U8) {
            throw new IllegalArgumentException("weights are kept as F32, F16, BF16, I8 or in blocks, got U8");
        }
    }

    /**
     * All as one type.
     *
     * @throws IllegalArgumentException if no weight is kept as {@code dtype}
     */
    public static WeightStorage of(DType dtype) {
        return new WeightStorage(Layout.of(dtype));
    }

    /** The type that all are kept as; null for blocks and as stored. */
    public DType dtype() {
        return switch (layout) {
            case F32 -> DType.F32;
            case F16 -> DType.F16;
            case BF16 -> DType.BF16;
            case I8 -> DType.I8;
            case null, default -> null;
        };
    }

    /** What a weight is kept as. */
    public Layout of(Weight weight) {
        if (layout != null) {
            return layout;
        }
        return weight.layout().needsScales() ? Layout.F32 : weight.layout();
    }

    @Override
    public String toString() {
        return layout == null ? "as stored" : layout.toString();
    }
}
