package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** MPNet, Song et al., arXiv:2004.09297: BERT with RoBERTa's positions, and T5's distances besides. */
final class MpnetFamily implements EncoderFamily {
    private static final int MAX_DISTANCE = 128; // no field of its configuration

    @Override
    public Description describe(JsonFile json) throws FormatException {
        int rows = json.integer("max_position_embeddings", 1);
        Positions.Learned absolute = EncoderFields.behindPadding(json, rows);
        int buckets = json.integer("relative_attention_num_buckets", 4, 32);
        if (buckets % 2 != 0 || buckets / 4 >= MAX_DISTANCE) {
            throw json.wrong("relative_attention_num_buckets", "an even number below " + 4 * MAX_DISTANCE);
        }
        return BertFamily.encoder(json, rows - absolute.first())
                .withEmbedding(new Embedding(1, 0))
                .withPositions(new Positions.RelativeBias(buckets, MAX_DISTANCE, absolute))
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-12f)));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return BertFamily.NAMES.with(Map.of(
                Part.DISTANCES, "encoder.relative_attention_bias",
                Part.QUERY, "encoder.layer.#.attention.attn.q",
                Part.KEY, "encoder.layer.#.attention.attn.k",
                Part.VALUE, "encoder.layer.#.attention.attn.v",
                Part.ATTENTION_OUTPUT, "encoder.layer.#.attention.attn.o",
                Part.ATTENTION_NORM, "encoder.layer.#.attention.LayerNorm"));
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "mpnet.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, "classifier.dense", labels,
                "classifier.out_proj");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, Activation.GELU_ERF, "lm_head.dense", "lm_head.layer_norm", "lm_head.bias");
    }
}
