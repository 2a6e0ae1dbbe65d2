package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.QueryKeyNorm;
import dev.fovea.weights.FormatException;
import java.util.Map;

/**
 * Qwen 2 and 2.5, Yang et al., arXiv:2407.10671 and arXiv:2412.15115: Llama's layers with biases of queries, keys and
 * values; Qwen 3, arXiv:2505.09388, with norms of queries and keys instead.
 */
final class QwenFamily implements DecoderFamily {
    private static final WeightNames QWEN3 = DecoderFields.LLAMA.with(Map.of(
            Part.QUERY_NORM, "layers.#.self_attn.q_norm", Part.KEY_NORM, "layers.#.self_attn.k_norm"));

    private static boolean isThird(JsonFile json) throws FormatException {
        return json.string("model_type").equals("qwen3");
    }

    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        json.integer("num_key_value_heads", 1); // transformers takes 32 where there is none
        boolean windows = json.bool("use_sliding_window", false) && json.has("sliding_window");
        int first = json.integer("max_window_layers", 0, 28);
        Attention attention = DecoderFields.attention(json);
        if (isThird(json)) {
            if (!json.has("head_dim")) {
                throw json.wrong("head_dim", "a whole number");
            }
            boolean bias = json.bool("attention_bias", false);
            attention = attention.withBiases(bias, bias).withQueryKeyNorm(QueryKeyNorm.EACH_HEAD);
        } else {
            attention = attention.withBiases(true, false);
        }
        attention = attention.withMasks(
                DecoderFields.masks(json, DecoderFields.kinds(json, layer -> windows && layer >= first)));
        var feedForward = DecoderFields.gated(json, "hidden_act", "silu", false);
        return DecoderFields.describe(json, context, attention, feedForward, DecoderFields.rms(json, 1e-6f), false)
                .withPositions(RopeFields.of(json, context).rotary(attention.headDim(), 10_000));
    }

    @Override
    public int longest(JsonFile json) throws FormatException {
        return RopeFields.of(json, 1).longest();
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return isThird(config) ? QWEN3 : DecoderFields.LLAMA;
    }
}
