package dev.fovea.model.family;

import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Value;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.function.UnaryOperator;

/**
 * The forward pass of every {@link Description}: Vaswani et al., arXiv:1706.03762, figure 1, and what came after it.
 * Shapes: x [tokens, width].
 */
public final class ModelGraph {
    /** How many of the likeliest next tokens a decoder's graph yields, unless its vocabulary is smaller. */
    public static final int CANDIDATES = 128;

    private final Graph.Builder g = Graph.builder();
    private final Description d;
    private final ModelWeights w;
    private final AttentionSpec plainSpec;
    private final Rope rope;
    private final Alibi alibi;

    /** What earlier tokens left behind in each layer, or null where sequences come as a whole. */
    private CacheGroup own;

    /** What an encoder left behind for each layer, or null without one. */
    private CacheGroup cross;

    private ModelGraph(Description description, ModelWeights weights) {
        this.d = description;
        this.w = weights;
        requireOps(d);
        this.plainSpec = plainSpec(d);
        this.rope = d.positions() instanceof Positions.Rotary(double theta, int dim, Rope.Layout pairing,
                RopeScaling scaling)
                ? Rope.ofFrequencies(pairing, scaling.frequencies(theta, dim), d.maxTokens()) : null;
        this.alibi = d.positions() instanceof Positions.LinearBias ? Alibi.forHeads(d.attention().heads()) : null;
        g.maxTokens(d.maxTokens());
    }

    /**
     * A stack that reads sequences as a whole, from token ids to what its head makes of them: the hidden states
     * [tokens, width]; or vectors [sequences, width] and, where they are kept, those before their normalisation; or
     * what {@link #decoder} yields.
     *
     * @throws UnsupportedOperationException naming it, if the description has what no op of a graph computes
     */
    public static Graph encoder(Description description, ModelWeights weights) {
        if (description.crossAttention()) {
            throw new IllegalArgumentException("expected a stack without cross-attention, got one with it");
        }
        var model = new ModelGraph(description, weights);
        return model.headed(model.forward());
    }

    /**
     * An encoder that a decoder attends to: its result [tokens, width] is also turned into keys and values for each of
     * the decoder's layers and appended to a group of caches, the graph's only one, which the decoder reads as its
     * second.
     */
    public static Graph encoder(Description description, ModelWeights weights, Description decoder,
            ModelWeights decoderWeights) {
        var model = new ModelGraph(description, weights);
        Value x = model.forward();
        AttentionSpec spec = plainSpec(decoder);
        CacheGroup memory = model.g.caches();
        for (int layer = 0; layer < decoder.layers(); layer++) {
            Value key = model.linear(x, decoderWeights, Part.CROSS_KEY, layer);
            Value value = model.linear(x, decoderWeights, Part.CROSS_VALUE, layer);
            model.g.append(key, value, memory.slot(spec));
        }
        return model.g.build(x);
    }

    /**
     * A stack that goes on token by token, from ids that follow those in its caches: first group, what its own tokens
     * leave behind; second, with cross-attention, what an encoder does. Of a next-token head the outputs are the hidden
     * states [tokens, width] and, for the last token of each sequence, the logits [sequences, vocabulary], the ids of
     * the {@link #CANDIDATES} largest, in that order, and the logarithms of their probabilities.
     *
     * @throws UnsupportedOperationException naming it, if the description has what no op of a graph computes
     */
    public static Graph decoder(Description description, ModelWeights weights) {
        var model = new ModelGraph(description, weights);
        model.own = model.g.caches();
        model.cross = description.crossAttention() ? model.g.caches() : null;
        return model.headed(model.forward());
    }

    private Value forward() {
        Value x = embeddings();
        for (int layer = 0; layer < d.layers(); layer++) {
            x = d.norms().place() == Norms.Place.PARALLEL ? parallelLayer(x, layer) : layer(x, layer);
        }
        return d.norms().afterLast() ? norm(x, Part.FINAL_NORM, 0) : x;
    }

    private Value embeddings() {
        Weight words = w.weight(Part.WORDS, 0);
        Weight type = d.embedding().tokenTypes() > 0 ? w.weight(Part.TOKEN_TYPES, 0).row(0) : null;
        Weight positions = d.positions() instanceof Positions.Learned ? w.weight(Part.POSITIONS, 0)
                : d.positions() instanceof Positions.Sinusoidal
                        ? Weight.of(Sinusoids.table(Arena.ofAuto(), d.maxTokens(), d.width())) : null;
        int first = d.positions() instanceof Positions.Learned learned ? learned.first() : 0;
        Value sum = named(Part.WORDS, 0).embedding(words, d.embedding().scale(), positions, first, type);
        return d.norms().afterEmbeddings() ? norm(sum, Part.EMBEDDING_NORM, 0) : sum;
    }

    private Value layer(Value x, int layer) {
        Value h = sublayer(x, layer, Part.ATTENTION_NORM, Part.ATTENTION_POST_NORM, in -> selfAttention(in, layer));
        if (d.crossAttention()) {
            h = sublayer(h, layer, Part.CROSS_NORM, Part.CROSS_POST_NORM, in -> crossAttention(in, layer));
        }
        return sublayer(h, layer, Part.FEED_FORWARD_NORM, Part.FEED_FORWARD_POST_NORM, in -> feedForward(in, layer));
    }

    private Value parallelLayer(Value x, int layer) {
        Value attended = g.add(x, selfAttention(norm(x, Part.ATTENTION_NORM, layer), layer));
        if (d.crossAttention()) {
            attended = g.add(attended, crossAttention(norm(x, Part.CROSS_NORM, layer), layer));
        }
        return g.add(attended, feedForward(norm(x, Part.FEED_FORWARD_NORM, layer), layer));
    }

    /** Residual connection and norms around {@code f}. */
    private Value sublayer(Value x, int layer, Part norm, Part postNorm, UnaryOperator<Value> f) {
        return switch (d.norms().place()) {
            case AFTER -> norm(g.add(x, f.apply(x)), norm, layer);
            case SANDWICH -> g.add(x, norm(f.apply(norm(x, norm, layer)), postNorm, layer));
            case BEFORE, PARALLEL -> g.add(x, f.apply(norm(x, norm, layer)));
        };
    }

    private Value selfAttention(Value x, int layer) {
        Value query = linear(x, w, Part.QUERY, layer);
        Value key = linear(x, w, Part.KEY, layer);
        Value value = linear(x, w, Part.VALUE, layer);
        if (d.attention().queryKeyNorm() == Description.QueryKeyNorm.ALL_HEADS) {
            query = norm(query, Part.QUERY_NORM, layer);
            key = norm(key, Part.KEY_NORM, layer);
        }
        AttentionSpec spec = spec(layer);
        Graph.Builder named = g.named("attention." + layer);
        Value mixed = own == null ? named.attention(query, key, value, spec)
                : named.attention(query, key, value, spec, own.slot(spec));
        return linear(mixed, w, Part.ATTENTION_OUTPUT, layer);
    }

    private Value crossAttention(Value x, int layer) {
        Value query = linear(x, w, Part.CROSS_QUERY, layer);
        Value mixed = g.named("cross_attention." + layer).crossAttention(query, plainSpec, cross.slot(plainSpec));
        return linear(mixed, w, Part.CROSS_OUTPUT, layer);
    }

    private Value feedForward(Value x, int layer) {
        var feedForward = d.feedForward();
        Value inner = linear(x, w, feedForward.gated() ? Part.GATE : Part.UP, layer);
        inner = g.named("activated." + layer).activate(inner, feedForward.activation());
        if (feedForward.gated()) {
            inner = g.named("gated." + layer).multiply(inner, linear(x, w, Part.UP, layer));
        }
        return linear(inner, w, Part.DOWN, layer);
    }

    private Graph headed(Value x) {
        return switch (d.head()) {
            case Head.Hidden _ -> g.build(x);
            case Head.Pooled(Pooling pooling, boolean normalize, boolean keepPooled) -> {
                Value pooled = g.named("pooled").pool(x, pooling);
                Value vectors = normalize ? g.named("vectors").normalize(pooled) : pooled;
                yield keepPooled ? g.build(vectors, pooled) : g.build(vectors);
            }
            case Head.NextToken(boolean tied, _) -> {
                Weight output = w.weight(tied ? Part.WORDS : Part.OUTPUT, 0);
                Value logits = g.named("logits").linear(g.pool(x, Pooling.LAST), output, null);
                Value likeliest = g.named("likeliest").topK(logits, Math.min(CANDIDATES, d.vocabulary()));
                Value logProbabilities = g.named("log_probabilities").gather(g.logSoftmax(logits), likeliest);
                yield g.build(x, logits, likeliest, logProbabilities);
            }
        };
    }

    /** Attention without masks and positions, as to an encoder's result. */
    private static AttentionSpec plainSpec(Description d) {
        var attention = d.attention();
        return new AttentionSpec(attention.heads(), attention.kvHeads(), attention.headDim(), attention.valueDim(),
                attention.scale(), Mask.none(), attention.softcap(), null, null);
    }

    private AttentionSpec spec(int layer) {
        AttentionSpec masked = plainSpec.withMask(d.attention().mask(layer));
        if (d.positions() instanceof Positions.Rotary rotary) {
            double factor = rotary.scaling().attentionFactor(); // of queries and of keys
            return masked.withRope(rope).withScale((float) (masked.scale() * factor * factor));
        }
        return alibi == null ? masked : masked.withAlibi(alibi);
    }

    private Value linear(Value x, ModelWeights weights, Part part, int layer) {
        return g.named(weights.name(part, layer))
                .linear(x, weights.weight(part, layer), weights.bias(part, layer));
    }

    private Value norm(Value x, Part part, int layer) {
        Weight gamma = w.weight(part, layer);
        if (d.norms().gammaFromOne()) {
            gamma = onePlus(gamma);
        }
        return switch (d.norms().kind()) {
            case LAYER -> named(part, layer).layerNorm(x, gamma, w.bias(part, layer), d.norms().epsilon());
            case RMS -> named(part, layer).rmsNorm(x, gamma, d.norms().epsilon());
        };
    }

    private static Weight onePlus(Weight vector) {
        Tensor sum = vector.toF32(Arena.ofAuto());
        for (long i = 0; i < sum.size(0); i++) {
            sum.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, 1 + sum.getFloat(i));
        }
        return Weight.of(sum);
    }

    private Graph.Builder named(Part part, int layer) {
        return g.named(w.name(part, layer));
    }

    /** Refuses what can be described, but not be said in ops. */
    private static void requireOps(Description d) {
        String missing = d.positions() instanceof Positions.RelativeBias ? "relative position bias (T5)"
                : d.attention().queryKeyNorm() == Description.QueryKeyNorm.EACH_HEAD ? "a norm of each head's queries"
                : d.head() instanceof Head.NextToken(_, float softcap) && softcap > 0 ? "a softcap of logits"
                : null;
        if (missing != null) {
            throw new UnsupportedOperationException("no op of a graph computes " + missing);
        }
    }
}
