package dev.fovea.model;

import dev.fovea.attention.Alibi;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.Mask;
import dev.fovea.attention.Rope;
import dev.fovea.graph.CacheSlot;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Pooling;
import dev.fovea.graph.Value;
import dev.fovea.model.TransformerConfig.FeedForward;
import dev.fovea.model.TransformerConfig.Norm;
import dev.fovea.model.TransformerConfig.Positions;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * The forward pass of "Attention Is All You Need": Vaswani et al., arXiv:1706.03762, figure 1.
 *
 * <p>Two graphs: the encoder's, which also yields the keys and values that the decoder's layers attend to, and the
 * decoder's, on caches. Shapes: x [tokens, d_model].
 */
final class TransformerGraph {
    private static final double ROPE_THETA = 10_000;

    private final TransformerConfig config;
    private final Map<String, Tensor> weights;
    private final Tensor sinusoids;
    private final AttentionSpec selfAttention;
    private final AttentionSpec crossAttention;

    /**
     * Of weights that fit the config.
     *
     * @param arena lives as long as the graphs' plans
     */
    TransformerGraph(TransformerConfig config, Map<String, Tensor> weights, Arena arena) {
        this.config = config;
        this.weights = weights;
        this.sinusoids = config.positions() == Positions.SINUSOIDAL
                ? PositionalEncoding.sinusoidal(arena, config.maxTokens(), config.dModel()) : null;
        this.crossAttention = AttentionSpec.of(config.heads(), config.headDim()).withKvHeads(config.kvHeads());
        this.selfAttention = switch (config.positions()) {
            case ROPE -> crossAttention.withRope(
                    Rope.of(Rope.Layout.HALF, config.headDim(), ROPE_THETA, config.maxTokens()));
            case ALIBI -> crossAttention.withAlibi(Alibi.forHeads(config.heads()));
            case SINUSOIDAL, LEARNED, NONE -> crossAttention;
        };
    }

    /**
     * The encoder, from token ids to its result, [tokens, d_model]; where there is a decoder, then the keys and values
     * of the result for each of its layers, [tokens, kv_heads · head_dim].
     */
    Graph encoder() {
        var g = Graph.builder();
        Value x = embeddings(g, "encoder");
        for (int i = 0; i < config.layers(); i++) {
            String layer = "encoder.layers." + i;
            x = sublayer(g, x, layer + ".attention", in -> selfAttention(g, in, layer + ".attention"));
            x = sublayer(g, x, layer + ".feed_forward", in -> feedForward(g, in, layer + ".feed_forward"));
        }
        List<Value> outputs = new ArrayList<>();
        Value memory = config.finalNorm() ? norm(g, x, "encoder.norm") : x;
        outputs.add(memory);
        for (int i = 0; config.architecture().hasDecoder() && i < config.layers(); i++) {
            String attention = "decoder.layers." + i + ".cross_attention";
            outputs.add(linear(g, memory, attention + ".key"));
            outputs.add(linear(g, memory, attention + ".value"));
        }
        return g.build(outputs.toArray(Value[]::new));
    }

    /**
     * The decoder, from token ids that follow those in its caches to its result, [tokens, d_model], and the logits of
     * what follows the last token of each sequence, [sequences, vocabulary]. Each layer has a cache of its own keys and
     * values and, where there is an encoder, behind it one of the encoder's.
     */
    Graph decoder() {
        var g = Graph.builder();
        Value x = embeddings(g, "decoder");
        for (int i = 0; i < config.layers(); i++) {
            String layer = "decoder.layers." + i;
            x = sublayer(g, x, layer + ".attention", in -> maskedAttention(g, in, layer + ".attention"));
            if (config.architecture().hasEncoder()) {
                x = sublayer(g, x, layer + ".cross_attention",
                        in -> crossAttention(g, in, layer + ".cross_attention"));
            }
            x = sublayer(g, x, layer + ".feed_forward", in -> feedForward(g, in, layer + ".feed_forward"));
        }
        Value result = config.finalNorm() ? norm(g, x, "decoder.norm") : x;
        Tensor output = weights.get(config.tiedEmbeddings() ? "embedding.weight" : "output.weight");
        Value logits = g.named("logits").linear(g.pool(result, Pooling.LAST), output, null);
        return g.build(result, logits);
    }

    /** What the decoder's layers keep of its own tokens. */
    AttentionSpec maskedSpec() {
        return selfAttention.withMask(Mask.causal());
    }

    /** What they keep of the encoder's. */
    AttentionSpec crossSpec() {
        return crossAttention;
    }

    private Value embeddings(Graph.Builder g, String stack) {
        boolean learned = config.positions() == Positions.LEARNED;
        Tensor positions = learned ? weights.get(stack + ".positions.weight") : sinusoids;
        return g.named(stack + ".embedding")
                .embedding(weights.get("embedding.weight"), config.embeddingScale(), positions, 0, null);
    }

    /** Residual connection and norm around {@code f}. */
    private Value sublayer(Graph.Builder g, Value x, String name, UnaryOperator<Value> f) {
        return config.normFirst()
                ? g.add(x, f.apply(norm(g, x, name + ".norm")))
                : norm(g, g.add(x, f.apply(x)), name + ".norm");
    }

    private Value selfAttention(Graph.Builder g, Value x, String name) {
        Value query = linear(g, x, name + ".query");
        Value key = linear(g, x, name + ".key");
        Value value = linear(g, x, name + ".value");
        return linear(g, g.named(name).attention(query, key, value, selfAttention), name + ".output");
    }

    private Value maskedAttention(Graph.Builder g, Value x, String name) {
        Value query = linear(g, x, name + ".query");
        Value key = linear(g, x, name + ".key");
        Value value = linear(g, x, name + ".value");
        CacheSlot earlier = g.cache(maskedSpec());
        return linear(g, g.named(name).attention(query, key, value, maskedSpec(), earlier), name + ".output");
    }

    private Value crossAttention(Graph.Builder g, Value x, String name) {
        Value query = linear(g, x, name + ".query");
        CacheSlot memory = g.cache(crossAttention);
        return linear(g, g.named(name).crossAttention(query, crossAttention, memory), name + ".output");
    }

    private Value feedForward(Graph.Builder g, Value x, String name) {
        boolean gated = config.feedForward() == FeedForward.SWIGLU;
        Value inner = linear(g, x, name + (gated ? ".gate" : ".up"));
        inner = g.named(name + ".activated").activate(inner, config.feedForward().activation());
        if (gated) {
            inner = g.named(name + ".gated").multiply(inner, linear(g, x, name + ".up"));
        }
        return linear(g, inner, name + ".down");
    }

    private Value linear(Graph.Builder g, Value x, String name) {
        return g.named(name).linear(x, weights.get(name + ".weight"), weights.get(name + ".bias"));
    }

    private Value norm(Graph.Builder g, Value x, String name) {
        Tensor gamma = weights.get(name + ".weight");
        return config.norm() == Norm.LAYER_NORM
                ? g.named(name).layerNorm(x, gamma, weights.get(name + ".bias"), config.epsilon())
                : g.named(name).rmsNorm(x, gamma, config.epsilon());
    }
}
