package dev.fovea.model;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * What one head adds to a token for each token that it attends to, a linear map of d_model to d_model. A head computes
 * {@code Σⱼ weights[i, j] · map(xⱼ)}, and all heads are added up.
 *
 * <p>In full it takes d_model² numbers. A Transformer has it as a product of two of low rank: down to d_v elements, the
 * value of the head, and up again. As weights are numbers, up may wait until the values are mixed, and as heads are
 * added up, the ups of all heads side by side are one matrix, which the paper calls W^O: see {@link #fold}. Vaswani et
 * al., arXiv:1706.03762, section 3.2.2; Elhage et al., A Mathematical Framework for Transformer Circuits (2021).
 *
 * <pre>
 *   GPT-3, a head of 96:   full      12 288 · 12 288              = 150 994 944
 *                          low rank  12 288 · 128 + 128 · 12 288  =   3 145 728
 * </pre>
 */
public sealed interface ValueMap {
    /**
     * One matrix.
     *
     * @param matrix F32 [d_model, d_model], applied from the left
     */
    record Full(Tensor matrix) implements ValueMap {
        /** Checks the shape. */
        public Full {
            requireMatrix("matrix", matrix);
            requireEqual("rows of matrix", matrix.size(0), "columns", matrix.size(1));
        }

        @Override
        public int dModel() {
            return (int) matrix.size(0);
        }

        @Override
        public int rank() {
            return dModel();
        }

        @Override
        public long parameters() {
            return (long) dModel() * dModel();
        }
    }

    /**
     * Two matrices: {@code up · down}.
     *
     * @param down F32 [d_v, d_model]: the value projection of the head
     * @param up F32 [d_model, d_v]: its columns of the output matrix
     */
    record LowRank(Tensor down, Tensor up) implements ValueMap {
        /** Checks the shapes. */
        public LowRank {
            requireMatrix("down", down);
            requireMatrix("up", up);
            requireEqual("columns of up", up.size(1), "rows of down", down.size(0));
            requireEqual("rows of up", up.size(0), "columns of down", down.size(1));
        }

        @Override
        public int dModel() {
            return (int) down.size(1);
        }

        @Override
        public int rank() {
            return (int) down.size(0);
        }

        @Override
        public long parameters() {
            return 2L * dModel() * rank();
        }

        /** The map in full, the product. */
        public Full full(Arena arena) {
            Tensor product = Tensor.allocate(arena, DType.F32, Shape.of(dModel(), dModel()));
            for (int row = 0; row < dModel(); row++) {
                for (int column = 0; column < dModel(); column++) {
                    double sum = 0;
                    for (int i = 0; i < rank(); i++) {
                        sum += (double) up.getFloat(row, i) * down.getFloat(i, column);
                    }
                    set(product, row, column, (float) sum);
                }
            }
            return new Full(product);
        }
    }

    /**
     * The maps of all heads, for a graph: values are {@code x · valueᵀ}, what attention mixes of them goes through
     * {@code output}.
     *
     * @param value F32 [heads · d_v, d_model]: the downs, one below the other
     * @param output F32 [d_model, heads · d_v]: the ups, side by side
     */
    record Folded(Tensor value, Tensor output) {}

    /** Elements of a token's vector. */
    int dModel();

    /** Elements of the value that attention mixes. */
    int rank();

    /** How many numbers it takes. */
    long parameters();

    /**
     * Folds the maps of all heads into one value matrix and one output matrix. A full map mixes vectors of d_model, and
     * its output matrix only adds up the heads: identities side by side.
     *
     * @throws IllegalArgumentException if there is none, or they differ in d_model or rank; the message names both
     */
    static Folded fold(Arena arena, List<? extends ValueMap> heads) {
        if (heads.isEmpty()) {
            throw new IllegalArgumentException("expected the value map of at least 1 head, got 0");
        }
        int dModel = heads.getFirst().dModel();
        int rank = heads.getFirst().rank();
        long width = (long) heads.size() * rank;
        Tensor value = Tensor.allocate(arena, DType.F32, Shape.of(width, dModel));
        Tensor output = Tensor.allocate(arena, DType.F32, Shape.of(dModel, width));
        for (int head = 0; head < heads.size(); head++) {
            ValueMap map = heads.get(head);
            requireEqual("d_model of head " + head, map.dModel(), "d_model of head 0", dModel);
            requireEqual("rank of head " + head, map.rank(), "rank of head 0", rank);
            for (int i = 0; i < rank; i++) {
                for (int c = 0; c < dModel; c++) {
                    set(value, head * rank + i, c, switch (map) {
                        case Full(Tensor matrix) -> matrix.getFloat(i, c);
                        case LowRank(Tensor down, _) -> down.getFloat(i, c);
                    });
                    set(output, c, head * rank + i, switch (map) {
                        case Full _ -> c == i ? 1 : 0;
                        case LowRank(_, Tensor up) -> up.getFloat(c, i);
                    });
                }
            }
        }
        return new Folded(value, output);
    }

    private static void set(Tensor matrix, long row, long column, float value) {
        matrix.segment().setAtIndex(ValueLayout.JAVA_FLOAT, row * matrix.stride(0) + column, value);
    }

    private static void requireMatrix(String name, Tensor tensor) {
        if (tensor.rank() != 2 || tensor.dtype() != DType.F32 || tensor.shape().elements() == 0) {
            throw new IllegalArgumentException("expected " + name + " as an F32 matrix, got " + tensor);
        }
    }

    private static void requireEqual(String name, long value, String otherName, long other) {
        if (value != other) {
            throw new IllegalArgumentException(
                    "expected as many " + name + " as " + otherName + ", " + other + ", got " + value);
        }
    }
}
