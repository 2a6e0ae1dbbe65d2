package dev.fovea.model;

import java.util.ArrayList;
import java.util.List;
import java.util.function.DoubleUnaryOperator;

/** A {@link TinyModel}'s forward pass in double, loop by loop. */
final class ReferenceBert {
    private final TinyModel model;
    private final int firstPosition;
    private final double epsilon;
    private final DoubleUnaryOperator activation;
    private final List<double[][][]> patterns = new ArrayList<>();

    ReferenceBert(TinyModel model, int firstPosition, double epsilon, DoubleUnaryOperator activation) {
        this.model = model;
        this.firstPosition = firstPosition;
        this.epsilon = epsilon;
        this.activation = activation;
    }

    static ReferenceBert bert(TinyModel model) {
        return new ReferenceBert(model, 0, 1e-12, ReferenceBert::geluErf);
    }

    /** The last hidden state, [tokens][hidden]. */
    double[][] hidden(int... ids) {
        double[][] x = new double[ids.length][TinyModel.HIDDEN];
        float[] words = model.values("embeddings.word_embeddings.weight");
        float[] positions = model.values("embeddings.position_embeddings.weight");
        float[] types = model.values("embeddings.token_type_embeddings.weight");
        for (int t = 0; t < ids.length; t++) {
            for (int i = 0; i < TinyModel.HIDDEN; i++) {
                x[t][i] = (double) words[ids[t] * TinyModel.HIDDEN + i]
                        + positions[(firstPosition + t) * TinyModel.HIDDEN + i] + types[i];
            }
        }
        x = norm(x, "embeddings.LayerNorm");
        for (int layer = 0; layer < TinyModel.LAYERS; layer++) {
            String name = "encoder.layer." + layer + ".";
            double[][] attended = linear(attention(x, name + "attention.self."), name + "attention.output.dense");
            x = norm(sum(attended, x), name + "attention.output.LayerNorm");
            double[][] inner = linear(x, name + "intermediate.dense");
            for (double[] row : inner) {
                for (int i = 0; i < row.length; i++) {
                    row[i] = activation.applyAsDouble(row[i]);
                }
            }
            x = norm(sum(linear(inner, name + "output.dense"), x), name + "output.LayerNorm");
        }
        return x;
    }

    /** What every token attends to, [layers][heads][queries][keys]. */
    double[][][][] patterns(int... ids) {
        patterns.clear();
        hidden(ids);
        return patterns.toArray(double[][][][]::new);
    }

    /** The mean of the rows. */
    static double[] mean(double[]... rows) {
        double[] mean = new double[rows[0].length];
        for (double[] row : rows) {
            for (int i = 0; i < mean.length; i++) {
                mean[i] += row[i] / rows.length;
            }
        }
        return mean;
    }

    /** The vector divided by its length. */
    static double[] normalized(double[] vector) {
        double squares = 0;
        for (double component : vector) {
            squares += component * component;
        }
        double[] result = vector.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] /= Math.sqrt(squares);
        }
        return result;
    }

    /** The exact GELU. */
    static double geluErf(double x) {
        return x / 2 * (1 + erf(x / Math.sqrt(2)));
    }

    /** Its approximation by tanh. */
    static double geluTanh(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /** By its Maclaurin series, which is good to 1e-7 up to 4.5; 1 beyond. */
    private static double erf(double x) {
        if (Math.abs(x) > 4.5) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 200; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return sum * 2 / Math.sqrt(Math.PI);
    }

    private double[][] attention(double[][] x, String self) {
        double[][] q = linear(x, self + "query");
        double[][] k = linear(x, self + "key");
        double[][] v = linear(x, self + "value");
        int headDim = TinyModel.HIDDEN / TinyModel.HEADS;
        double[][] out = new double[x.length][TinyModel.HIDDEN];
        double[][][] pattern = new double[TinyModel.HEADS][x.length][x.length];
        patterns.add(pattern);
        for (int head = 0; head < TinyModel.HEADS; head++) {
            int from = head * headDim;
            for (int t = 0; t < x.length; t++) {
                double[] weights = new double[x.length];
                double total = 0;
                for (int s = 0; s < x.length; s++) {
                    double score = 0;
                    for (int i = from; i < from + headDim; i++) {
                        score += q[t][i] * k[s][i];
                    }
                    weights[s] = Math.exp(score / Math.sqrt(headDim));
                    total += weights[s];
                }
                for (int s = 0; s < x.length; s++) {
                    pattern[head][t][s] = weights[s] / total;
                    for (int i = from; i < from + headDim; i++) {
                        out[t][i] += pattern[head][t][s] * v[s][i];
                    }
                }
            }
        }
        return out;
    }

    private double[][] linear(double[][] x, String name) {
        float[] weight = model.values(name + ".weight");
        float[] bias = model.values(name + ".bias");
        double[][] out = new double[x.length][bias.length];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < bias.length; o++) {
                double sum = bias[o];
                for (int i = 0; i < x[t].length; i++) {
                    sum += x[t][i] * weight[o * x[t].length + i];
                }
                out[t][o] = sum;
            }
        }
        return out;
    }

    private double[][] norm(double[][] x, String name) {
        float[] gamma = model.values(name + ".weight");
        float[] beta = model.values(name + ".bias");
        double[][] out = new double[x.length][gamma.length];
        for (int t = 0; t < x.length; t++) {
            double mean = 0;
            double variance = 0;
            for (double value : x[t]) {
                mean += value / gamma.length;
            }
            for (double value : x[t]) {
                variance += (value - mean) * (value - mean) / gamma.length;
            }
            for (int i = 0; i < gamma.length; i++) {
                out[t][i] = (x[t][i] - mean) / Math.sqrt(variance + epsilon) * gamma[i] + beta[i];
            }
        }
        return out;
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] sum = new double[a.length][];
        for (int t = 0; t < a.length; t++) {
            sum[t] = a[t].clone();
            for (int i = 0; i < sum[t].length; i++) {
                sum[t][i] += b[t][i];
            }
        }
        return sum;
    }
}
