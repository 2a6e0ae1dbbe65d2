package dev.fovea.model;

import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A {@link Transformer}'s forward pass in double, from the formulas of the papers, loop by loop. */
final class ReferenceTransformer {
    private final TransformerConfig config;
    private final Map<String, Tensor> weights;
    private final List<double[][][]> patterns = new ArrayList<>();

    ReferenceTransformer(TransformerConfig config, Map<String, Tensor> weights) {
        this.config = config;
        this.weights = weights;
    }

    /** Of all attentions computed so far, [heads][queries][keys]. */
    List<double[][][]> patterns() {
        return patterns;
    }

    /** The encoder's result, [tokens][d_model]. */
    double[][] encode(int[] ids) {
        double[][] x = embed(ids, "encoder");
        for (int i = 0; i < config.layers(); i++) {
            String layer = "encoder.layers." + i;
            x = attention(x, null, layer + ".attention", false);
            x = feedForward(x, layer + ".feed_forward");
        }
        return config.finalNorm() ? norm(x, "encoder.norm") : x;
    }

    /** The decoder's result, [tokens][d_model]; memory is the encoder's, or null. */
    double[][] decode(double[][] memory, int[] ids) {
        double[][] x = embed(ids, "decoder");
        for (int i = 0; i < config.layers(); i++) {
            String layer = "decoder.layers." + i;
            x = attention(x, null, layer + ".attention", true);
            if (memory != null) {
                x = attention(x, memory, layer + ".cross_attention", false);
            }
            x = feedForward(x, layer + ".feed_forward");
        }
        return config.finalNorm() ? norm(x, "decoder.norm") : x;
    }

    /** The logits of the row, [vocabulary]. */
    double[] logits(double[] row) {
        Tensor output = weights.get(config.tiedEmbeddings() ? "embedding.weight" : "output.weight");
        double[] logits = new double[config.vocabulary()];
        for (int token = 0; token < logits.length; token++) {
            for (int c = 0; c < row.length; c++) {
                logits[token] += row[c] * output.getFloat(token, c);
            }
        }
        return logits;
    }

    private double[][] embed(int[] ids, String stack) {
        double[][] x = new double[ids.length][config.dModel()];
        for (int t = 0; t < ids.length; t++) {
            for (int c = 0; c < config.dModel(); c++) {
                x[t][c] = (double) config.embeddingScale() * weights.get("embedding.weight").getFloat(ids[t], c)
                        + switch (config.positions()) {
                            case LEARNED -> weights.get(stack + ".positions.weight").getFloat(t, c);
                            case SINUSOIDAL -> Math.sin(
                                    t / Math.pow(10_000, (double) (c - c % 2) / config.dModel()) + c % 2 * Math.PI / 2);
                            case ROPE, ALIBI, NONE -> 0;
                        };
            }
        }
        return x;
    }

    private double[][] attention(double[][] x, double[][] memory, String name, boolean causal) {
        double[][] in = config.normFirst() ? norm(x, name + ".norm") : x;
        double[][] source = memory == null ? in : memory;
        double[][] q = linear(in, name + ".query");
        double[][] k = linear(source, name + ".key");
        double[][] v = linear(source, name + ".value");
        double[][] mixed = new double[x.length][config.dModel()];
        double[][][] pattern = new double[config.heads()][x.length][source.length];
        patterns.add(pattern);
        for (int head = 0; head < config.heads(); head++) {
            int kvHead = head / (config.heads() / config.kvHeads());
            for (int i = 0; i < x.length; i++) {
                int keys = causal ? i + 1 : source.length;
                double total = 0;
                for (int j = 0; j < keys; j++) {
                    double score = score(q[i], head, i, k[j], kvHead, j, memory == null);
                    pattern[head][i][j] = Math.exp(score);
                    total += pattern[head][i][j];
                }
                for (int j = 0; j < keys; j++) {
                    pattern[head][i][j] /= total;
                    for (int c = 0; c < config.headDim(); c++) {
                        mixed[i][head * config.headDim() + c] +=
                                pattern[head][i][j] * v[j][kvHead * config.headDim() + c];
                    }
                }
            }
        }
        return residual(x, linear(mixed, name + ".output"), name);
    }

    private double score(double[] q, int head, int i, double[] k, int kvHead, int j, boolean own) {
        int dim = config.headDim();
        double dot = 0;
        for (int c = 0; c < dim; c++) {
            dot += own && config.positions() == TransformerConfig.Positions.ROPE
                    ? turned(q, head * dim, c, i) * turned(k, kvHead * dim, c, j)
                    : q[head * dim + c] * k[kvHead * dim + c];
        }
        double slope = own && config.positions() == TransformerConfig.Positions.ALIBI
                ? Math.pow(2, -8.0 * (head + 1) / config.heads()) : 0;
        return dot / Math.sqrt(dim) - slope * Math.abs(i - j);
    }

    /** Element c of a vector turned by its position, pairs being halves of it. */
    private double turned(double[] x, int from, int c, int position) {
        int half = config.headDim() / 2;
        double angle = position * Math.pow(10_000, -2.0 * (c % half) / config.headDim());
        return c < half
                ? x[from + c] * Math.cos(angle) - x[from + c + half] * Math.sin(angle)
                : x[from + c] * Math.cos(angle) + x[from + c - half] * Math.sin(angle);
    }

    private double[][] feedForward(double[][] x, String name) {
        double[][] in = config.normFirst() ? norm(x, name + ".norm") : x;
        double[][] up = linear(in, name + ".up");
        double[][] gate = config.feedForward() == FeedForward.SWIGLU ? linear(in, name + ".gate") : null;
        for (int t = 0; t < up.length; t++) {
            for (int c = 0; c < up[t].length; c++) {
                double u = up[t][c];
                up[t][c] = switch (config.feedForward()) {
                    case RELU -> Math.max(0, u);
                    case GELU -> ReferenceBert.geluErf(u);
                    case SWIGLU -> gate[t][c] / (1 + Math.exp(-gate[t][c])) * u;
                };
            }
        }
        return residual(x, linear(up, name + ".down"), name);
    }

    private double[][] residual(double[][] x, double[][] f, String name) {
        double[][] sum = new double[x.length][x[0].length];
        for (int t = 0; t < x.length; t++) {
            for (int c = 0; c < x[t].length; c++) {
                sum[t][c] = x[t][c] + f[t][c];
            }
        }
        return config.normFirst() ? sum : norm(sum, name + ".norm");
    }

    private double[][] linear(double[][] x, String name) {
        Tensor weight = weights.get(name + ".weight");
        Tensor bias = weights.get(name + ".bias");
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
        double[][] out = new double[x.length][config.dModel()];
        boolean centred = config.norm() == Norm.LAYER_NORM;
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
                out[t][c] = (x[t][c] - mean) / Math.sqrt(square + config.epsilon())
                        * weights.get(name + ".weight").getFloat(c)
                        + (centred ? weights.get(name + ".bias").getFloat(c) : 0);
            }
        }
        return out;
    }
}
