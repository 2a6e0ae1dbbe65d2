package dev.fovea.model.family;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.stream.IntStream;

/**
 * The keys and queries of distances of each layer: constants, as the vectors of distances and the layer's matrices are.
 * He et al., arXiv:2006.03654, section 3.1. They take layers · 4 · span · width² multiplications, once.
 */
final class DistanceTables {
    private final Description d;
    private final ModelWeights w;
    private final double[][] vectors; // [2 span][width], normalised

    DistanceTables(Description description, ModelWeights weights, Positions.Disentangled positions) {
        this.d = description;
        this.w = weights;
        this.vectors = rows(weights.weight(Part.DISTANCE_EMBEDDINGS, 0));
        if (positions.normed()) {
            double[] gamma = rows(weights.weight(Part.DISTANCE_NORM, 0))[0];
            double[] beta = rows(weights.bias(Part.DISTANCE_NORM, 0))[0];
            for (double[] vector : vectors) {
                normalise(vector, gamma, beta, description.norms().epsilon());
            }
        }
    }

    /**
     * The products of distances with a layer's matrix, times {@code scale}, [heads · 2 span, head_dim].
     *
     * @param part {@link Part#KEY} or {@link Part#QUERY}
     */
    Weight of(Part part, int layer, double scale) {
        double[][] matrix = rows(w.weight(part, layer));
        double[] bias = w.bias(part, layer) == null ? new double[matrix.length] : rows(w.bias(part, layer))[0];
        int dim = d.attention().headDim();
        Tensor table = Tensor.allocate(Arena.ofAuto(), DType.F32,
                Shape.of((long) d.attention().heads() * vectors.length, dim));
        double[][] columns = transposed(matrix);
        IntStream.range(0, vectors.length).parallel().forEach(row -> {
            double[] sum = bias.clone();
            for (int i = 0; i < d.width(); i++) {
                double x = vectors[row][i];
                double[] column = columns[i];
                for (int o = 0; o < sum.length; o++) {
                    sum[o] += x * column[o];
                }
            }
            for (int o = 0; o < sum.length; o++) {
                long at = ((long) o / dim * vectors.length + row) * dim + o % dim;
                table.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at, (float) (sum[o] * scale));
            }
        });
        return Weight.of(table);
    }

    private static void normalise(double[] x, double[] gamma, double[] beta, double epsilon) {
        double mean = 0;
        double square = 0;
        for (double element : x) {
            mean += element / x.length;
        }
        for (double element : x) {
            square += (element - mean) * (element - mean) / x.length;
        }
        for (int i = 0; i < x.length; i++) {
            x[i] = (x[i] - mean) / Math.sqrt(square + epsilon) * gamma[i] + beta[i];
        }
    }

    private static double[][] transposed(double[][] matrix) {
        double[][] columns = new double[matrix[0].length][matrix.length];
        for (int o = 0; o < matrix.length; o++) {
            for (int i = 0; i < columns.length; i++) {
                columns[i][o] = matrix[o][i];
            }
        }
        return columns;
    }

    /** The rows of a matrix, or a vector as one. */
    private static double[][] rows(Weight weight) {
        int rows = weight.rank() == 1 ? 1 : (int) weight.size(0);
        int columns = (int) weight.size(weight.rank() - 1);
        float[] values = new float[columns];
        double[][] all = new double[rows][columns];
        for (int r = 0; r < rows; r++) {
            weight.read(r, 0, columns, values, 0);
            for (int c = 0; c < columns; c++) {
                all[r][c] = values[c];
            }
        }
        return all;
    }
}
