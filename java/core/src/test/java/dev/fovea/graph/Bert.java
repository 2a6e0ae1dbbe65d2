package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Pooling;
import java.lang.foreign.Arena;
import java.util.Random;

/**
 * A BERT encoder with random weights, built as a model builds it.
 *
 * @param pooling the pooling of a normalised sentence vector, or null for the hidden states
 */
record Bert(int layers, int hidden, int heads, int inner, int vocabulary, int positions, Pooling pooling) {
    static final float EPSILON = 1e-12f;

    /** Small enough to be quick, with sizes that are no multiples of a tile. */
    static Bert small() {
        return new Bert(2, 40, 4, 72, 97, 64, Pooling.MEAN);
    }

    Graph graph(Arena arena) {
        var weights = new RandomWeights(arena, new Random(7));
        var g = Graph.builder();
        Value x = g.named("embedding").embedding(
                weights.matrix(vocabulary, hidden), weights.matrix(positions, hidden), 0, weights.vector(hidden));
        x = g.named("embedding norm").layerNorm(x, weights.gamma(hidden), weights.vector(hidden), EPSILON);
        for (int layer = 0; layer < layers; layer++) {
            x = layer(g, weights, x);
        }
        return g.build(pooling == null ? x : g.named("sentence").normalize(g.pool(x, pooling)));
    }

    private Value layer(Graph.Builder g, RandomWeights w, Value x) {
        Value q = g.named("query").linear(x, w.matrix(hidden, hidden), w.vector(hidden));
        Value k = g.named("key").linear(x, w.matrix(hidden, hidden), w.vector(hidden));
        Value v = g.named("value").linear(x, w.matrix(hidden, hidden), w.vector(hidden));
        Value context = g.attention(q, k, v, AttentionSpec.of(heads, hidden / heads));
        Value attended = g.linear(context, w.matrix(hidden, hidden), w.vector(hidden));
        Value h = g.layerNorm(g.add(x, attended), w.gamma(hidden), w.vector(hidden), EPSILON);
        Value up = g.activate(g.linear(h, w.matrix(inner, hidden), w.vector(inner)), Activation.GELU_ERF);
        Value down = g.linear(up, w.matrix(hidden, inner), w.vector(hidden));
        return g.layerNorm(g.add(h, down), w.gamma(hidden), w.vector(hidden), EPSILON);
    }
}
