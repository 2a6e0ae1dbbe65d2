package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.Projection;
import dev.fovea.weights.FormatException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * DeBERTa v2 and v3, He et al., arXiv:2006.03654 and arXiv:2111.09543: BERT whose queries and keys weigh distances, by
 * vectors that share the layers' matrices. Those with a convolution (xlarge and xxlarge) are refused.
 */
final class DebertaFamily implements EncoderFamily {
    @Override
    public Description describe(JsonFile json) throws FormatException {
        if (json.integer("conv_kernel_size", 0, 0) > 0) {
            throw json.wrong("conv_kernel_size", "0");
        }
        if (!json.bool("relative_attention", false)) {
            throw json.wrong("relative_attention", "true");
        }
        if (!json.bool("share_att_key", false)) {
            throw json.wrong("share_att_key", "true");
        }
        int rows = json.integer("max_position_embeddings", 3);
        Description encoder = BertFamily.encoder(json, rows);
        Positions.Disentangled positions = positions(json, rows);
        int terms = 1 + (positions.byQuery() ? 1 : 0) + (positions.byKey() ? 1 : 0);
        int narrow = json.integer("embedding_size", 1, encoder.width());
        var projection = narrow == encoder.width() ? null : new Projection(narrow, false, false);
        float scale = (float) (1 / Math.sqrt((double) encoder.attention().headDim() * terms));
        return encoder.withAttention(encoder.attention().withScores(scale, 0))
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 0, 0), false, projection))
                .withPositions(positions)
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-7f)));
    }

    private static Positions.Disentangled positions(JsonFile json, int rows) throws FormatException {
        List<String> kinds = kinds(json);
        // −1 stands for the absent.
        boolean farthest = json.has("max_relative_positions") && json.number("max_relative_positions") >= 1;
        int most = farthest ? json.integer("max_relative_positions", 1) : rows;
        boolean shares = json.has("position_buckets") && json.number("position_buckets") >= 1;
        int span = shares ? json.integer("position_buckets", 1) : most;
        if (shares && (span < 4 || most - 1 <= span / 2)) {
            throw json.wrong("position_buckets", "at least 4, and less than twice the farthest distance " + most);
        }
        boolean normed = switch (json.string("norm_rel_ebd", "none")) {
            case "layer_norm" -> true;
            case "none" -> false;
            default -> throw json.wrong("norm_rel_ebd", "\"layer_norm\" or \"none\"");
        };
        Positions.Learned absolute = json.bool("position_biased_input", true) ? new Positions.Learned(rows, 0) : null;
        return new Positions.Disentangled(span, shares, most, kinds.contains("c2p"), kinds.contains("p2c"), normed,
                absolute);
    }

    /** {@code "p2c|c2p"}, or an array of these. */
    private static List<String> kinds(JsonFile json) throws FormatException {
        List<String> kinds = json.isArray("pos_att_type") ? json.strings("pos_att_type")
                : Arrays.stream(json.string("pos_att_type", "").split("\\|")).map(String::strip).toList();
        if (kinds.isEmpty() || !List.of("c2p", "p2c").containsAll(kinds)) {
            throw json.wrong("pos_att_type", "\"c2p\", \"p2c\" or both");
        }
        return kinds;
    }

    @Override
    public WeightNames names(JsonFile config) {
        return BertFamily.NAMES.with(Map.of(
                Part.EMBEDDING_PROJECTION, "embeddings.embed_proj",
                Part.DISTANCE_EMBEDDINGS, "encoder.rel_embeddings",
                Part.DISTANCE_NORM, "encoder.LayerNorm",
                Part.QUERY, "encoder.layer.#.attention.self.query_proj",
                Part.KEY, "encoder.layer.#.attention.self.key_proj",
                Part.VALUE, "encoder.layer.#.attention.self.value_proj"));
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "deberta.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix)
            throws FormatException {
        return NamedHead.of(Head.Reading.FIRST, encoder,
                EncoderFields.activation(config, "pooler_hidden_act", "gelu"), "pooler.dense", labels, "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, encoder.feedForward().activation(), "cls.predictions.transform.dense",
                "cls.predictions.transform.LayerNorm", "cls.predictions.bias");
    }
}
