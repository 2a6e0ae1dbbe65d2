package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.model.family.Description.Projection;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** ALBERT, Lan et al., arXiv:1909.11942: factorised embeddings, and layers that share their weights. */
final class AlbertFamily implements EncoderFamily {
    private static final String LAYER = "encoder.albert_layer_groups.#.albert_layers.0.";

    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embeddings.word_embeddings"),
            Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
            Map.entry(Part.TOKEN_TYPES, "embeddings.token_type_embeddings"),
            Map.entry(Part.EMBEDDING_NORM, "embeddings.LayerNorm"),
            Map.entry(Part.EMBEDDING_PROJECTION, "encoder.embedding_hidden_mapping_in"),
            Map.entry(Part.QUERY, LAYER + "attention.query"),
            Map.entry(Part.KEY, LAYER + "attention.key"),
            Map.entry(Part.VALUE, LAYER + "attention.value"),
            Map.entry(Part.ATTENTION_OUTPUT, LAYER + "attention.dense"),
            Map.entry(Part.ATTENTION_NORM, LAYER + "attention.LayerNorm"),
            Map.entry(Part.UP, LAYER + "ffn"),
            Map.entry(Part.DOWN, LAYER + "ffn_output"),
            Map.entry(Part.FEED_FORWARD_NORM, LAYER + "full_layer_layer_norm")));

    @Override
    public Description describe(JsonFile json) throws FormatException {
        json.require("position_embedding_type", "absolute");
        if (json.integer("inner_group_num", 1, 1) != 1) {
            throw json.wrong("inner_group_num", "1");
        }
        int rows = json.integer("max_position_embeddings", 1);
        Description encoder = BertFamily.encoder(json, rows);
        var feedForward = new FeedForward(encoder.feedForward().width(),
                EncoderFields.activation(json, "hidden_act", "gelu_new"), false, true);
        var projection = new Projection(json.integer("embedding_size", 1, 128), true, true);
        return encoder.withFeedForward(feedForward)
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 1, 2), false, projection))
                .withPositions(new Positions.Learned(rows, 0))
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-12f)));
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        int layers = config.integer("num_hidden_layers", 1);
        int groups = config.integer("num_hidden_groups", 1, 1);
        return NAMES.withIndex(layer -> (int) ((long) layer * groups / layers));
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "albert.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, prefix + "pooler", labels, "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, encoder.feedForward().activation(), "predictions.dense",
                "predictions.LayerNorm", "predictions.bias");
    }
}
