package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Gemma 2, arXiv:2408.00118: windows in every other layer, norms on both sides of sub-layers, bounded scores and logits;
 * Gemma 3, arXiv:2503.19786: windows in five of six layers, which turn by a base of their own, and norms of queries and
 * keys. Of a Gemma 3 that sees images too, the language model.
 */
final class GemmaFamily implements DecoderFamily {
    private static final WeightNames GEMMA2 = DecoderFields.LLAMA.with(Map.of(
            Part.ATTENTION_POST_NORM, "layers.#.post_attention_layernorm",
            Part.FEED_FORWARD_NORM, "layers.#.pre_feedforward_layernorm",
            Part.FEED_FORWARD_POST_NORM, "layers.#.post_feedforward_layernorm"));
    private static final WeightNames GEMMA3 = GEMMA2.with(Map.of(
            Part.QUERY_NORM, "layers.#.self_attn.q_norm", Part.KEY_NORM, "layers.#.self_attn.k_norm"));

    private static boolean isThird(JsonFile json) throws FormatException {
        return json.string("model_type").startsWith("gemma3");
    }

    @Override
    public JsonFile text(JsonFile config) throws FormatException {
        return config.string("model_type").equals("gemma3") ? config.object("text_config") : config;
    }

    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        boolean third = isThird(json);
        json.integer("num_key_value_heads", 1);
        if (!json.has("head_dim")) {
            throw json.wrong("head_dim", "a whole number");
        }
        int every = third ? json.integer(json.has("_sliding_window_pattern") ? "_sliding_window_pattern" : "sliding_window_pattern", 1, 6) : 2;
        List<String> kinds = DecoderFields.kinds(json, layer -> (layer + 1) % every != 0);
        boolean bias = json.bool("attention_bias", false);
        double scalar = json.has("query_pre_attn_scalar") ? json.number("query_pre_attn_scalar") : 256;
        if (!(scalar > 0)) {
            throw json.wrong("query_pre_attn_scalar", "a number above 0");
        }
        Attention attention = DecoderFields.attention(json).withBiases(bias, bias)
                .withQueryKeyNorm(third ? QueryKeyNorm.EACH_HEAD : QueryKeyNorm.NONE)
                .withScores((float) Math.pow(scalar, -0.5), softcap(json, "attn_logit_softcapping", third ? 0 : 50))
                .withMasks(third && json.bool("use_bidirectional_attention", false) ? bothSides(json, kinds)
                        : DecoderFields.masks(json, kinds));
        var norms = new Norms(Norms.Kind.RMS, Norms.Place.SANDWICH, json.positive("rms_norm_eps", 1e-6f), false, true,
                false, true);
        var feedForward = DecoderFields.gated(json, "hidden_activation", "gelu_pytorch_tanh", false);
        int width = json.integer("hidden_size", 1);
        boolean tied = json.bool("tie_word_embeddings", true);
        return DecoderFields.describe(json, context, attention, feedForward, norms, true)
                .withEmbedding(new Embedding((float) Math.sqrt(width), 0))
                .withHead(new Head.NextToken(tied, softcap(json, "final_logit_softcapping", third ? 0 : 30)))
                .withPositions(third ? inTurn(json, kinds, attention.headDim(), context)
                        : RopeFields.of(json, context).rotary(attention.headDim(), 10_000));
    }

    /** A bound, which is none where the field is null. */
    private static float softcap(JsonFile json, String field, float absent) throws FormatException {
        return DecoderFields.given(json, field) ? json.positive(field, 0) : absent;
    }

    /** Every token sees all, or in a window as many on both sides as it has in all: EmbeddingGemma, arXiv:2509.20354. */
    private static Mask[] bothSides(JsonFile json, List<String> kinds) throws FormatException {
        int side = json.integer("sliding_window", 1, 4096) / 2;
        return kinds.stream().map(kind -> kind.equals(DecoderFields.WINDOW) ? Mask.window(side, side) : Mask.none())
                .toArray(Mask[]::new);
    }

    private static Positions inTurn(JsonFile json, List<String> kinds, int headDim, int context) throws FormatException {
        boolean nested = json.has("rope_parameters");
        JsonFile full = !nested ? null : json.object("rope_parameters").object(DecoderFields.FULL);
        JsonFile window = !nested ? null : json.object("rope_parameters").object(DecoderFields.WINDOW);
        RopeFields ofFull = json.has("rope_scaling") || !nested ? RopeFields.of(json, context)
                : new RopeFields(json, full, context);
        var ofWindow = new RopeFields(json, window, context);
        Positions turnsFull = ofFull.rotary(headDim, 1_000_000);
        Positions turnsWindow = ofWindow.rotary(headDim, ofWindow.type(), ofWindow.theta("rope_local_base_freq", 10_000));
        List<Positions> turns = new ArrayList<>();
        for (String kind : kinds) {
            turns.add(kind.equals(DecoderFields.FULL) ? turnsFull : turnsWindow);
        }
        return new Positions.RotaryInTurn(turns);
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return isThird(config) ? GEMMA3 : GEMMA2;
    }

    @Override
    public List<String> prefixes() {
        return List.of("model.", "language_model.model.", "model.language_model.", "");
    }
}
