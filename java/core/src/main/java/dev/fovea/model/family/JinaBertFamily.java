package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/**
 * JinaBERT v2, Günther et al., arXiv:2310.19923: BERT with ALiBi on both sides and gated feed-forward networks, as its
 * own code has it. That for source code normalises queries and keys too, and bears other names.
 */
final class JinaBertFamily implements EncoderFamily {
    /** {@code position_embedding_type} of its configurations, whose {@code model_type} is BERT's. */
    static final String BIAS = "alibi";

    private static boolean normsQueries(JsonFile json) throws FormatException {
        return json.has("auto_map") && json.object("auto_map").string("AutoModel", "").contains("qk-post-norm");
    }

    @Override
    public Description describe(JsonFile json) throws FormatException {
        json.require("is_decoder", false);
        Description encoder = BertFamily.encoder(json, json.integer("max_position_embeddings", 1));
        String kind = json.string("feed_forward_type", "original");
        var feedForward = switch (kind) {
            case "geglu" -> new FeedForward(encoder.feedForward().width(), Activation.GELU_ERF, true, false, true);
            case "reglu" -> new FeedForward(encoder.feedForward().width(), Activation.RELU, true, false, true);
            default -> throw json.wrong("feed_forward_type", "\"geglu\" or \"reglu\"");
        };
        return encoder.withFeedForward(feedForward)
                .withAttention(encoder.attention().withQueryKeyNorm(
                        normsQueries(json) ? QueryKeyNorm.ALL_HEADS : QueryKeyNorm.NONE))
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 1, 2)))
                .withPositions(new Positions.LinearBias())
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-12f)));
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return normsQueries(config)
                ? BertFamily.NAMES.with(Map.of(
                                Part.QUERY_NORM, "encoder.layer.#.attention.self.layer_norm_q",
                                Part.KEY_NORM, "encoder.layer.#.attention.self.layer_norm_k",
                                Part.ATTENTION_NORM, "encoder.layer.#.layer_norm_1",
                                Part.FEED_FORWARD_NORM, "encoder.layer.#.layer_norm_2",
                                Part.DOWN, "encoder.layer.#.mlp.down_layer"))
                        .withFused("encoder.layer.#.mlp.up_gated_layer", Part.UP, Part.GATE)
                : BertFamily.NAMES.with(Map.of(
                                Part.FEED_FORWARD_NORM, "encoder.layer.#.mlp.layernorm",
                                Part.DOWN, "encoder.layer.#.mlp.wo"))
                        .withFused("encoder.layer.#.mlp.gated_layers", Part.GATE, Part.UP);
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "bert.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, prefix + "pooler.dense", labels,
                "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) throws FormatException {
        return NamedHead.words(encoder, EncoderFields.activation(config, "hidden_act", "gelu"),
                "cls.predictions.transform.dense", "cls.predictions.transform.LayerNorm", "cls.predictions.bias");
    }
}
