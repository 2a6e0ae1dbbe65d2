package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.Weight;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** The ops as their formulas say, in double precision, one after the other, with nothing fused. */
final class Reference {
    private final int[] ids;
    private final int[] offsets;
    private final List<double[][]> values = new ArrayList<>();

    private Reference(int[] ids, int[] offsets) {
        this.ids = ids;
        this.offsets = offsets;
    }

    /** The outputs of a graph for a batch, each [rows][columns]. */
    static List<double[][]> evaluate(Graph graph, int[] ids, int[] offsets) {
        var reference = new Reference(ids, offsets);
        graph.ops().forEach(op -> reference.values.add(reference.apply(op)));
        return graph.outputs().stream().map(reference::get).toList();
    }

    private double[][] apply(Op op) {
        double[][] out = new double[op.rows() == Rows.TOKENS ? ids.length : offsets.length - 1][op.columns()];
        switch (op) {
            case Op.Embedding embedding -> embedding(embedding, out);
            case BatchOp.TokenTypes types -> fill(out, (_, c) -> at(types.table(), 0, c));
            case BatchOp.HeadLinear(_, int heads, Value x, Weight weight) -> fill(out, (r, c) -> {
                int dim = (int) weight.size(1);
                double sum = 0;
                for (int i = 0; i < dim; i++) {
                    sum += get(x)[r][c / (out[r].length / heads) * dim + i] * at(weight, c, i);
                }
                return sum;
            });
            case BatchOp.HeadNorm(_, int heads, Value x, Weight gamma, float epsilon) -> fill(out, (r, c) -> {
                int dim = out[r].length / heads;
                double[] head = Arrays.copyOfRange(get(x)[r], c / dim * dim, c / dim * dim + dim);
                return get(x)[r][c] / Math.sqrt(norm(head) * norm(head) / dim + epsilon) * at(gamma, 0, c % dim);
            });
            case BatchOp.RelativeBias bias -> relativeBias(bias, out);
            case Op.LayerNorm norm -> layerNorm(norm, out);
            case Op.Linear linear -> linear(linear, out);
            case Op.Activate(_, Value x, Activation activation) ->
                fill(out, (r, c) -> activate(activation, get(x)[r][c]));
            case Op.Add(_, Value a, Value b) -> fill(out, (r, c) -> get(a)[r][c] + get(b)[r][c]);
            case Op.RmsNorm(_, Value x, Weight gamma, float epsilon) -> fill(out, (r, c) -> {
                double[] row = get(x)[r];
                double rms = Math.sqrt(norm(row) * norm(row) / row.length + epsilon);
                return row[c] / rms * at(gamma, 0, c);
            });
            case Op.Multiply(_, Value a, Value b) -> fill(out, (r, c) -> get(a)[r][c] * get(b)[r][c]);
            case Op.Attention attention -> attention(attention, out);
            case Op.Pool(_, Value x, Pooling mode) -> pool(get(x), mode, out);
            case Op.Normalize(_, Value x) -> fill(out, (r, c) -> get(x)[r][c] / Math.max(norm(get(x)[r]), 1e-12));
            case Op.MatMul matmul -> matmul(matmul, out);
            case Op.LogSoftmax(_, Value x) -> fill(out, (r, c) -> get(x)[r][c] - logSumExp(get(x)[r]));
            case Op.TopK topK -> topK(topK, out);
            case Op.Gather(_, Value x, Value indices) -> fill(out, (r, c) -> get(x)[r][(int) get(indices)[r][c]]);
            case Op.Append _ -> throw new AssertionError("the reference has no caches");
        }
        return out;
    }

    private static double at(Weight weight, int row, int column) {
        float[] value = new float[1];
        weight.read(row, column, 1, value, 0);
        return value[0];
    }

    private void matmul(Op.MatMul op, double[][] out) {
        double[][] a = get(op.a());
        double[][] b = get(op.b());
        for (int s = 0; s < offsets.length - 1; s++) {
            for (int t = offsets[s]; t < offsets[s + 1]; t++) {
                for (int k = 0; k < op.a().columns(); k++) {
                    int columns = op.transposeA() ? op.b().columns() : op.columns();
                    for (int c = 0; c < columns; c++) {
                        if (op.transposeA()) {
                            out[s][k * columns + c] += a[t][k] * b[t][c];
                        } else {
                            out[t][c] += a[t][k] * b[s][k * columns + c];
                        }
                    }
                }
            }
        }
    }

    private static double logSumExp(double[] row) {
        double peak = Arrays.stream(row).max().orElseThrow();
        return peak + Math.log(Arrays.stream(row).map(x -> Math.exp(x - peak)).sum());
    }

    private void topK(Op.TopK op, double[][] out) {
        double[][] x = get(op.x());
        for (int r = 0; r < out.length; r++) {
            double[] row = x[r];
            int[] order = IntStream.range(0, row.length).boxed()
                    .sorted(Comparator.comparing((Integer i) -> -row[i])).mapToInt(i -> i).toArray();
            for (int c = 0; c < op.count(); c++) {
                out[r][c] = order[c];
            }
        }
    }

    private void relativeBias(BatchOp.RelativeBias op, double[][] out) {
        int keys = op.buckets().keys();
        int buckets = op.buckets().buckets();
        for (int s = 0; s < offsets.length - 1; s++) {
            for (int t = offsets[s]; t < offsets[s + 1]; t++) {
                for (int u = offsets[s]; u < offsets[s + 1]; u++) {
                    int bucket = op.buckets().ofDistance().segment()
                            .getAtIndex(ValueLayout.JAVA_INT, keys - 1 + u - t);
                    for (int head = 0; head < op.heads(); head++) {
                        int column = head * buckets + bucket;
                        out[t][head * keys + u - offsets[s]] =
                                (op.table() != null ? at(op.table(), 0, column) : get(op.byQuery())[t][column])
                                        + (op.byKey() == null ? 0 : get(op.byKey())[u][column]);
                    }
                }
            }
        }
    }

    private interface Element {
        double at(int row, int column);
    }

    private static void fill(double[][] out, Element element) {
        for (int r = 0; r < out.length; r++) {
            for (int c = 0; c < out[r].length; c++) {
                out[r][c] = element.at(r, c);
            }
        }
    }

    private double[][] get(Value value) {
        return values.get(value.id());
    }

    private void embedding(Op.Embedding op, double[][] out) {
        for (int s = 0; s < offsets.length - 1; s++) {
            for (int t = offsets[s]; t < offsets[s + 1]; t++) {
                for (int c = 0; c < op.columns(); c++) {
                    out[t][c] = (double) op.scale() * at(op.words(), ids[t], c);
                    if (op.positions() != null) {
                        out[t][c] += at(op.positions(), op.firstPosition() + t - offsets[s], c);
                    }
                    if (op.type() != null) {
                        out[t][c] += at(op.type(), 0, c);
                    }
                }
            }
        }
    }

    private void layerNorm(Op.LayerNorm op, double[][] out) {
        for (int r = 0; r < out.length; r++) {
            double[] x = get(op.x())[r];
            double mean = 0;
            for (double element : x) {
                mean += element / x.length;
            }
            double variance = 0;
            for (double element : x) {
                variance += (element - mean) * (element - mean) / x.length;
            }
            for (int c = 0; c < x.length; c++) {
                double normal = (x[c] - mean) / Math.sqrt(variance + op.epsilon());
                out[r][c] = normal * at(op.gamma(), 0, c) + (op.beta() == null ? 0 : at(op.beta(), 0, c));
            }
        }
    }

    private void linear(Op.Linear op, double[][] out) {
        double[][] x = get(op.x());
        Weight bias = op.bias();
        fill(out, (r, c) -> {
            double sum = bias == null ? 0 : at(bias, 0, c);
            for (int i = 0; i < x[r].length; i++) {
                sum += x[r][i] * at(op.weight(), c, i);
            }
            return sum;
        });
    }

    private void attention(Op.Attention op, double[][] out) {
        double[][] v = get(op.v());
        AttentionSpec spec = op.spec();
        int valueDim = spec.valueDim();
        for (int s = 0; s < offsets.length - 1; s++) {
            for (int t = offsets[s]; t < offsets[s + 1]; t++) {
                for (int head = 0; head < spec.heads(); head++) {
                    int kvHead = head / (spec.heads() / spec.kvHeads());
                    double[] weights = weights(op, t, head, kvHead, offsets[s], offsets[s + 1]);
                    for (int c = 0; c < valueDim; c++) {
                        for (int key = 0; key < weights.length; key++) {
                            out[t][head * valueDim + c] +=
                                    weights[key] * v[offsets[s] + key][kvHead * valueDim + c];
                        }
                    }
                }
            }
        }
    }

    private double[] weights(Op.Attention op, int token, int head, int kvHead, int start, int end) {
        AttentionSpec spec = op.spec();
        int headDim = spec.headDim();
        double[] weights = new double[end - start];
        double sum = 0;
        for (int key = start; key < (spec.mask().right() == 0 ? token + 1 : end); key++) {
            double score = 0;
            for (int c = 0; c < headDim; c++) {
                score += get(op.q())[token][head * headDim + c] * get(op.k())[key][kvHead * headDim + c];
            }
            double bias = op.bias() == null ? 0
                    : get(op.bias())[token][head * (op.bias().columns() / spec.heads()) + key - start];
            weights[key - start] = Math.exp(spec.scale() * score + bias);
            sum += weights[key - start];
        }
        for (int key = 0; key < weights.length; key++) {
            weights[key] /= sum;
        }
        return weights;
    }

    private void pool(double[][] x, Pooling mode, double[][] out) {
        for (int s = 0; s < out.length; s++) {
            int start = mode == Pooling.LAST ? Math.max(offsets[s], offsets[s + 1] - 1) : offsets[s];
            int end = mode == Pooling.CLS ? Math.min(offsets[s] + 1, offsets[s + 1]) : offsets[s + 1];
            for (int t = start; t < end; t++) {
                for (int c = 0; c < out[s].length; c++) {
                    out[s][c] += x[t][c] / (end - start);
                }
            }
        }
    }

    private static double norm(double[] row) {
        double squares = 0;
        for (double element : row) {
            squares += element * element;
        }
        return Math.sqrt(squares);
    }

    private static double activate(Activation activation, double x) {
        return switch (activation) {
            case NONE -> x;
            case GELU_ERF -> x / 2 * (1 + erf(x / Math.sqrt(2)));
            case RELU -> Math.max(0, x);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
        };
    }

    /** 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (2n+1)!!, whose terms all have one sign. */
    private static double erf(double x) {
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }
}
