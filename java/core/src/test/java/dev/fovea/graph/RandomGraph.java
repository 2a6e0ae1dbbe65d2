package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Graphs that no model has, to try what no model asks for. */
final class RandomGraph {
    static final int VOCABULARY = 31;
    static final int POSITIONS = 50;

    private static final int[] WIDTHS = {4, 12, 16, 36};

    private final Random random;
    private final RandomWeights weights;
    private final Graph.Builder g = Graph.builder();
    private final List<Value> values = new ArrayList<>();

    private RandomGraph(long seed, Arena arena) {
        this.random = new Random(seed);
        this.weights = new RandomWeights(arena, random);
    }

    static Graph of(long seed, Arena arena) {
        return new RandomGraph(seed, arena).build();
    }

    private Graph build() {
        values.add(embedding());
        int ops = 3 + random.nextInt(30);
        for (int i = 0; i < ops; i++) {
            values.add(next());
        }
        Value[] outputs = new Value[1 + random.nextInt(3)];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = i == 0 ? values.getLast() : any();
        }
        return g.build(outputs);
    }

    private Value next() {
        Value x = any();
        return switch (random.nextInt(14)) {
            case 0, 1, 2 -> linear(x);
            case 3 -> g.activate(x, Activation.values()[random.nextInt(Activation.values().length)]);
            case 4, 5 -> g.add(x, partner(x));
            case 6 -> g.layerNorm(x, weights.gamma(x.columns()), weights.vector(x.columns()), 1e-5f);
            case 7 -> attention(tokens());
            case 8 -> random.nextInt(4) == 0 ? g.pool(tokens(), Pooling.values()[random.nextInt(3)]) : embedding();
            case 9 -> g.rmsNorm(x, weights.gamma(x.columns()), 1e-5f);
            case 10 -> g.normalize(g.multiply(x, partner(x)));
            case 11 -> g.normalize(g.logSoftmax(x));
            case 12 -> g.normalize(product());
            default -> g.normalize(x);
        };
    }

    /** {@code A_sᵀ B_s}, small, or {@code A_s} times such a product. */
    private Value product() {
        Value x = tokens();
        Value a = g.linear(x, weights.matrix(3, x.columns()), null);
        Value b = g.linear(x, weights.matrix(4, x.columns()), null);
        Value mixed = g.transposedMatmul(a, b);
        return random.nextBoolean() ? mixed : g.matmul(a, mixed);
    }

    private Value attention(Value x) {
        int kvHeads = random.nextBoolean() ? 1 : 2;
        int heads = 2 * kvHeads;
        int headDim = 3 + random.nextInt(8);
        Value q = g.linear(x, weights.matrix(heads * headDim, x.columns()), null);
        Value k = g.linear(x, weights.matrix(kvHeads * headDim, x.columns()), weights.vector(kvHeads * headDim));
        Value source = random.nextBoolean() ? x : tokens();
        int valueDim = 4 + random.nextInt(6);
        Value v = g.linear(source, weights.matrix(kvHeads * valueDim, source.columns()), null);
        return g.attention(q, k, v, AttentionSpec.of(heads, headDim).withKvHeads(kvHeads).withValueDim(valueDim)
                .withScale(0.3f).withMask(random.nextBoolean() ? Mask.none() : Mask.causal()));
    }

    private Value embedding() {
        int width = width();
        boolean bare = random.nextBoolean();
        return g.embedding(weights.matrix(VOCABULARY, width), random.nextBoolean() ? 1 : 1.7f,
                bare ? null : weights.matrix(POSITIONS, width), 0,
                bare ? null : weights.vector(width));
    }

    private Value linear(Value x) {
        int outputs = width();
        return g.linear(x, weights.matrix(outputs, x.columns()), random.nextBoolean() ? weights.vector(outputs) : null);
    }

    /** A value of the shape of {@code x}, {@code x} itself among them. */
    private Value partner(Value x) {
        List<Value> candidates = values.stream()
                .filter(v -> v.rows() == x.rows() && v.columns() == x.columns())
                .toList();
        return candidates.get(random.nextInt(candidates.size()));
    }

    private Value tokens() {
        List<Value> candidates = values.stream().filter(v -> v.rows() == Rows.TOKENS).toList();
        return candidates.get(random.nextInt(candidates.size()));
    }

    private Value any() {
        return values.get(random.nextInt(values.size()));
    }

    private int width() {
        return WIDTHS[random.nextInt(WIDTHS.length)];
    }
}
