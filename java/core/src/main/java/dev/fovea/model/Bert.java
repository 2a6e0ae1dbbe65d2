package dev.fovea.model;

import dev.fovea.attention.AttentionSpec;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Pooling;
import dev.fovea.graph.Value;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.lang.foreign.Arena;

/**
 * The BERT encoder as a graph: Devlin et al., arXiv:1810.04805; the layer is that of Vaswani et al., arXiv:1706.03762,
 * with the norm after the residual. RoBERTa (Liu et al., arXiv:1907.11692) differs in its first position alone.
 */
final class Bert {
    private final BertConfig config;
    private final Weights weights;
    private final Arena arena;
    private final Arena scratch;
    private final String prefix;

    /**
     * A model of these weights.
     *
     * @param arena lives as long as the graph's plan: takes embeddings that are not stored as {@code F32}
     * @param scratch lives until the graph is compiled: takes all other weights that are not
     */
    Bert(BertConfig config, Weights weights, Arena arena, Arena scratch) throws FormatException {
        this.config = config;
        this.weights = weights;
        this.arena = arena;
        this.scratch = scratch;
        this.prefix = prefix(weights);
    }

    /**
     * From token ids to one vector per sequence.
     *
     * @param keepPooled whether the vectors before normalisation are a second output
     * @return a graph whose first output is the texts' vectors, [sequences, hidden]
     * @throws FormatException if a weight is missing or is not of the shape that the config says
     */
    Graph graph(Pooling pooling, boolean normalize, boolean keepPooled) throws FormatException {
        Graph.Builder g = Graph.builder();
        Value x = embeddings(g);
        for (int layer = 0; layer < config.layers(); layer++) {
            x = layer(g, x, "encoder.layer." + layer + '.');
        }
        Value pooled = g.named("pooled").pool(x, pooling);
        Value vectors = normalize ? g.named("vectors").normalize(pooled) : pooled;
        return keepPooled ? g.build(vectors, pooled) : g.build(vectors);
    }

    private Value embeddings(Graph.Builder g) throws FormatException {
        int hidden = config.hidden();
        Tensor words = tensor(arena, "embeddings.word_embeddings.weight", config.vocabulary(), hidden);
        Tensor positions = tensor(arena, "embeddings.position_embeddings.weight", config.positions(), hidden);
        Tensor types = tensor(arena, "embeddings.token_type_embeddings.weight", config.types(), hidden);
        Tensor type = Tensor.of(types.segment(), DType.F32, Shape.of(hidden), types.stride(1));
        Value sum = g.named("embeddings").embedding(words, positions, config.firstPosition(), type);
        return norm(g, sum, "embeddings.LayerNorm");
    }

    private Value layer(Graph.Builder g, Value x, String layer) throws FormatException {
        Value attended = norm(g, g.add(attention(g, x, layer + "attention."), x), layer + "attention.output.LayerNorm");
        return norm(g, g.add(feedForward(g, attended, layer), attended), layer + "output.LayerNorm");
    }

    private Value attention(Graph.Builder g, Value x, String attention) throws FormatException {
        int hidden = config.hidden();
        Value query = linear(g, x, attention + "self.query", hidden);
        Value key = linear(g, x, attention + "self.key", hidden);
        Value value = linear(g, x, attention + "self.value", hidden);
        var spec = AttentionSpec.of(config.heads(), hidden / config.heads());
        Value mixed = g.named(attention + "mixed").attention(query, key, value, spec);
        return linear(g, mixed, attention + "output.dense", hidden);
    }

    private Value feedForward(Graph.Builder g, Value x, String layer) throws FormatException {
        Value inner = linear(g, x, layer + "intermediate.dense", config.intermediate());
        Value activated = g.named(layer + "intermediate.activated").activate(inner, config.activation());
        return linear(g, activated, layer + "output.dense", config.hidden());
    }

    private Value linear(Graph.Builder g, Value x, String name, int outputs) throws FormatException {
        Tensor weight = tensor(scratch, name + ".weight", outputs, x.columns());
        return g.named(name).linear(x, weight, tensor(scratch, name + ".bias", outputs));
    }

    private Value norm(Graph.Builder g, Value x, String name) throws FormatException {
        boolean old = weights.contains(prefix + name + ".gamma"); // as the first checkpoints call them
        Tensor gamma = tensor(scratch, name + (old ? ".gamma" : ".weight"), config.hidden());
        Tensor beta = tensor(scratch, name + (old ? ".beta" : ".bias"), config.hidden());
        return g.named(name).layerNorm(x, gamma, beta, config.epsilon());
    }

    private Tensor tensor(Arena widened, String name, long... sizes) throws FormatException {
        String stored = prefix + name;
        if (!weights.contains(stored)) {
            throw new FormatException(weights.file(), -1, stored, "no such tensor, and config.json demands it");
        }
        Shape expected = Shape.of(sizes);
        Tensor tensor = weights.get(stored);
        if (!tensor.shape().equals(expected)) {
            throw new FormatException(weights.file(), -1, stored,
                    "expected shape " + expected + " by config.json, got " + tensor.shape());
        }
        if (!weights.isReal(stored)) {
            throw new FormatException(weights.file(), -1, stored,
                    "expected a floating-point type, got " + tensor.dtype());
        }
        return tensor.dtype() == DType.F32 ? tensor : weights.getF32(widened, stored);
    }

    /** What stands before every name: nothing, or the encoder's name within a larger model. */
    private static String prefix(Weights weights) throws FormatException {
        String words = "embeddings.word_embeddings.weight";
        for (String prefix : new String[] {"", "bert.", "roberta.", "0.auto_model."}) {
            if (weights.contains(prefix + words)) {
                return prefix;
            }
        }
        throw new FormatException(weights.file(), -1, words, "no such tensor, with no prefix nor with bert. or roberta.");
    }
}
