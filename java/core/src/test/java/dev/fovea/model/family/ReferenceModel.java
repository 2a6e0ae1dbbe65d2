package dev.fovea.model.family;

import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import java.util.Arrays;
import java.util.Map;

/** The forward pass of a {@link Description} in double, from the formulas of the papers, loop by loop. */
final class ReferenceModel {
    private final Description d;
    private final Map<String, Tensor> weights;
    private final String stack;

    /**
     * Of weights by their plain names.
     *
     * @param stack such as {@code encoder}
     */
    ReferenceModel(Description description, Map<String, Tensor> weights, String stack) {
        this.d = description;
        this.weights = weights;
        this.stack = stack + '.';
    }

    /** The hidden states, [tokens][width]; memory is the encoder's, or null. */
    double[][] hidden(int[] ids, double[][] memory) {
        double[][] x = embed(ids);
        for (int i = 0; i < d.layers(); i++) {
            x = layer(x, memory, i);
        }
        return d.norms().afterLast() ? norm(x, stack + "norm") : x;
    }

    /** The logits of the row, [vocabulary]. */
    double[] logits(double[] row) {
        boolean tied = ((Head.NextToken) d.head()).tied();
        return product(new double[][] {row}, weights.get(tied ? "embedding.weight" : "output.weight"), null)[0];
    }

    private double[][] embed(int[] ids) {
        double[][] x = new double[ids.length][d.embeddingWidth()];
        for (int t = 0; t < ids.length; t++) {
            for (int c = 0; c < d.embeddingWidth(); c++) {
                x[t][c] = (double) d.embedding().scale() * weights.get("embedding.weight").getFloat(ids[t], c);
                if (d.positions().learned() instanceof Positions.Learned(_, int first)) {
                    x[t][c] += weights.get(stack + "positions.weight").getFloat(first + t, c);
                }
                if (d.positions() instanceof Positions.Sinusoidal) {
                    double angle = t / Math.pow(10_000, (double) (c - c % 2) / d.width());
                    x[t][c] += c % 2 == 0 ? Math.sin(angle) : Math.cos(angle);
                }
                if (d.embedding().tokenTypes() > 0) {
                    x[t][c] += weights.get(stack + "token_types.weight").getFloat(0, c);
                }
            }
        }
        x = d.norms().afterEmbeddings() ? norm(x, stack + "embedding_norm") : x;
        return d.embedding().projection() == null ? x : linear(x, stack + "embedding_projection");
    }

    private double[][] layer(double[][] x, double[][] memory, int i) {
        String attention = stack + "layers." + i + ".attention";
        String cross = stack + "layers." + i + ".cross_attention";
        String feedForward = stack + "layers." + i + ".feed_forward";
        if (d.norms().place() == Norms.Place.PARALLEL) {
            double[][] attended = attention(norm(x, attention + ".norm"), null, attention, i);
            return sum(sum(x, attended), feedForward(norm(x, feedForward + ".norm"), feedForward));
        }
        double[][] h = residual(x, attention(before(x, attention), null, attention, i), attention);
        if (memory != null) {
            h = residual(h, attention(before(h, cross), memory, cross, i), cross);
        }
        return residual(h, feedForward(before(h, feedForward), feedForward), feedForward);
    }

    private double[][] before(double[][] x, String name) {
        return d.norms().place() == Norms.Place.AFTER ? x : norm(x, name + ".norm");
    }

    private double[][] residual(double[][] x, double[][] f, String name) {
        return switch (d.norms().place()) {
            case AFTER -> norm(sum(x, f), name + ".norm");
            case SANDWICH -> sum(x, norm(f, name + ".post_norm"));
            case BEFORE, PARALLEL -> sum(x, f);
        };
    }

    private double[][] attention(double[][] x, double[][] memory, String name, int layer) {
        var a = d.attention();
        boolean own = memory == null;
        double[][] source = own ? x : memory;
        double[][] q = linear(x, name + ".query");
        double[][] k = linear(source, name + ".key");
        double[][] v = linear(source, name + ".value");
        if (own && a.queryKeyNorm() == Description.QueryKeyNorm.ALL_HEADS) {
            q = norm(q, name + ".query_norm");
            k = norm(k, name + ".key_norm");
        }
        if (own && a.queryKeyNorm() == Description.QueryKeyNorm.EACH_HEAD) {
            q = headNorm(q, a.headDim(), name + ".query_norm");
            k = headNorm(k, a.headDim(), name + ".key_norm");
        }
        double[][] mixed = new double[x.length][a.heads() * a.valueDim()];
        for (int head = 0; head < a.heads(); head++) {
            int kvHead = head * a.kvHeads() / a.heads();
            for (int i = 0; i < x.length; i++) {
                double[] scores = new double[source.length];
                double total = 0;
                for (int j = 0; j < source.length; j++) {
                    boolean seen = !own || isSeen(a.mask(layer), i, j);
                    scores[j] = seen ? Math.exp(score(q[i], head, i, k[j], kvHead, j, own, positions(layer))) : 0;
                    total += scores[j];
                }
                for (int j = 0; j < source.length; j++) {
                    for (int c = 0; c < a.valueDim(); c++) {
                        mixed[i][head * a.valueDim() + c] += scores[j] / total * v[j][kvHead * a.valueDim() + c];
                    }
                }
            }
        }
        return linear(mixed, name + ".output");
    }

    /** Every head's part of every row for itself. */
    private double[][] headNorm(double[][] x, int dim, String name) {
        double[][] out = new double[x.length][x[0].length];
        for (int from = 0; from < x[0].length; from += dim) {
            for (int t = 0; t < x.length; t++) {
                double[] head = Arrays.copyOfRange(x[t], from, from + dim);
                System.arraycopy(norm(new double[][] {head}, name)[0], 0, out[t], from, dim);
            }
        }
        return out;
    }

    /** What turns the queries and keys of a layer. */
    private Positions positions(int layer) {
        return d.positions() instanceof Positions.RotaryInTurn(var kinds) ? kinds.get(layer % kinds.size()) : d.positions();
    }

    private static boolean isSeen(Mask mask, int query, int key) {
        return (mask.left() < 0 || query - key <= mask.left()) && (mask.right() < 0 || key - query <= mask.right());
    }

    private double score(double[] q, int head, int i, double[] k, int kvHead, int j, boolean own, Positions positions) {
        var a = d.attention();
        double dot = 0;
        for (int c = 0; c < a.headDim(); c++) {
            dot += own && positions instanceof Positions.Rotary rotary
                    ? turned(q, head * a.headDim(), c, i, rotary) * turned(k, kvHead * a.headDim(), c, j, rotary)
                    : q[head * a.headDim() + c] * k[kvHead * a.headDim() + c];
        }
        double score = dot * a.scale();
        if (a.softcap() > 0) {
            score = a.softcap() * Math.tanh(score / a.softcap());
        }
        if (own && d.positions() instanceof Positions.RelativeBias(int buckets, int maxDistance, _)) {
            score += weights.get(stack + "distances.weight").getFloat(bucket(j - i, buckets / 2, maxDistance), head);
        }
        boolean biased = own && d.positions() instanceof Positions.LinearBias;
        return biased ? score - Math.pow(2, -8.0 * (head + 1) / a.heads()) * Math.abs(i - j) : score;
    }

    /** Raffel et al., arXiv:1910.10683: half of a side's buckets are for one distance each. */
    private static int bucket(int distance, int side, int maxDistance) {
        int exact = side / 2;
        int far = Math.abs(distance);
        int wide = far < exact ? far : exact + (int) (Math.log((double) far / exact)
                / Math.log((double) maxDistance / exact) * (side - exact));
        return Math.min(wide, side - 1) + (distance > 0 ? side : 0);
    }

    /** Element c of a head turned by its position, as the definition of a rotation has it. */
    private static double turned(double[] x, int from, int c, int position, Positions.Rotary rotary) {
        if (c >= rotary.dim()) {
            return x[from + c];
        }
        boolean halves = rotary.pairing() == Rope.Layout.HALF;
        int half = rotary.dim() / 2;
        int pair = halves ? c % half : c / 2;
        boolean first = halves ? c < half : c % 2 == 0;
        double angle = position * rotary.scaling().frequencies(rotary.theta(), rotary.dim())[pair];
        double one = x[from + (halves ? pair : 2 * pair)];
        double other = x[from + (halves ? pair + half : 2 * pair + 1)];
        return rotary.scaling().attentionFactor() * (first
                ? one * Math.cos(angle) - other * Math.sin(angle)
                : one * Math.sin(angle) + other * Math.cos(angle));
    }

    private double[][] feedForward(double[][] x, String name) {
        double[][] up = linear(x, name + ".up");
        double[][] gate = d.feedForward().gated() ? linear(x, name + ".gate") : null;
        for (int t = 0; t < up.length; t++) {
            for (int c = 0; c < up[t].length; c++) {
                up[t][c] = gate == null ? activated(up[t][c]) : activated(gate[t][c]) * up[t][c];
            }
        }
        return linear(up, name + ".down");
    }

    private double activated(double x) {
        return switch (d.feedForward().activation()) {
            case NONE -> x;
            case RELU -> Math.max(0, x);
            case SILU -> x / (1 + Math.exp(-x));
            case TANH -> Math.tanh(x);
            case QUICK_GELU -> x / (1 + Math.exp(-1.702 * x));
            case GELU_TANH -> x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
            case GELU_ERF -> throw new IllegalArgumentException("expected another than " + Activation.GELU_ERF);
        };
    }

    private double[][] linear(double[][] x, String name) {
        return product(x, weights.get(name + ".weight"), weights.get(name + ".bias"));
    }

    private static double[][] product(double[][] x, Tensor weight, Tensor bias) {
        double[][] out = new double[x.length][(int) weight.size(0)];
        for (int t = 0; t < x.length; t++) {
            for (int o = 0; o < out[t].length; o++) {
                out[t][o] = bias == null ? 0 : bias.getFloat(o);
                for (int i = 0; i < x[t].length; i++) {
                    out[t][o] += x[t][i] * weight.getFloat(o, i);
                }
            }
        }
        return out;
    }

    private double[][] norm(double[][] x, String name) {
        double[][] out = new double[x.length][x[0].length];
        Tensor gamma = weights.get(name + ".weight");
        Tensor beta = weights.get(name + ".bias");
        boolean centred = d.norms().kind() == Norms.Kind.LAYER;
        for (int t = 0; t < x.length; t++) {
            double mean = 0;
            double square = 0;
            for (double element : x[t]) {
                mean += centred ? element / x[t].length : 0;
            }
            for (double element : x[t]) {
                square += (element - mean) * (element - mean) / x[t].length;
            }
            for (int c = 0; c < x[t].length; c++) {
                double factor = gamma.getFloat(c) + (d.norms().gammaFromOne() ? 1 : 0);
                out[t][c] = (x[t][c] - mean) / Math.sqrt(square + d.norms().epsilon()) * factor
                        + (beta == null ? 0 : beta.getFloat(c));
            }
        }
        return out;
    }

    private static double[][] sum(double[][] a, double[][] b) {
        double[][] sum = new double[a.length][a[0].length];
        for (int t = 0; t < a.length; t++) {
            for (int c = 0; c < a[t].length; c++) {
                sum[t][c] = a[t][c] + b[t][c];
            }
        }
        return sum;
    }
}
