package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** The encoder of mGTE, Zhang et al., arXiv:2407.19669: BERT with RoPE and gated feed-forward networks, as its own code. */
final class GteFamily implements EncoderFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
                    Map.entry(Part.WORDS, "embeddings.word_embeddings"),
                    Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
                    Map.entry(Part.TOKEN_TYPES, "embeddings.token_type_embeddings"),
                    Map.entry(Part.EMBEDDING_NORM, "embeddings.LayerNorm"),
                    Map.entry(Part.ATTENTION_OUTPUT, "encoder.layer.#.attention.o_proj"),
                    Map.entry(Part.ATTENTION_NORM, "encoder.layer.#.attn_ln"),
                    Map.entry(Part.DOWN, "encoder.layer.#.mlp.down_proj"),
                    Map.entry(Part.FEED_FORWARD_NORM, "encoder.layer.#.mlp_ln")))
            .withFused("encoder.layer.#.attention.qkv_proj", Part.QUERY, Part.KEY, Part.VALUE)
            .withFused("encoder.layer.#.mlp.up_gate_proj", Part.UP, Part.GATE);

    @Override
    public Description describe(JsonFile json) throws FormatException {
        json.require("pack_qkv", true);
        json.require("logn_attention_scale", false);
        json.require("layer_norm_type", "layer_norm");
        int maxTokens = json.integer("max_position_embeddings", 1);
        Description encoder = BertFamily.encoder(json, maxTokens);
        var feedForward = encoder.feedForward();
        return encoder
                .withFeedForward(new FeedForward(feedForward.width(), feedForward.activation(), true, false, true))
                .withEmbedding(new Embedding(1, json.integer("type_vocab_size", 0, 1)))
                .withPositions(positions(json, encoder.attention().headDim(), maxTokens))
                .withNorms(EncoderFields.bertNorms(json.positive("layer_norm_eps", 1e-12f)));
    }

    private static Positions positions(JsonFile json, int headDim, int rows) throws FormatException {
        if (json.string("position_embedding_type", "rope").equals("absolute")) {
            return new Positions.Learned(rows, 0);
        }
        json.require("position_embedding_type", "rope");
        var rotary = Positions.Rotary.of(json.positive("rope_theta", 10_000), headDim);
        if (!json.has("rope_scaling")) {
            return rotary;
        }
        JsonFile scaling = json.object("rope_scaling");
        scaling.require("type", "ntk");
        EncoderFields.requireAbsent(scaling, "mixed_b");
        float factor = scaling.positive("factor", 1);
        if (factor < 1) {
            throw scaling.wrong("factor", "at least 1");
        }
        return rotary.withScaling(new RopeScaling.FixedNtk(factor));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "new.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.FIRST, encoder, Activation.TANH, prefix + "pooler.dense", labels,
                "classifier");
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) {
        return NamedHead.words(encoder, encoder.feedForward().activation(), "lm_head.dense", "lm_head.norm",
                "lm_head.decoder.bias");
    }
}
