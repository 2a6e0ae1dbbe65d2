package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;

/** Llama 1 to 3, Touvron et al., arXiv:2302.13971, Grattafiori et al., arXiv:2407.21783; Mistral, arXiv:2310.06825. */
final class LlamaFamily implements DecoderFamily {
    static final String LLAMA = "llama";
    static final String MISTRAL = "mistral";

    /** The window of a Mistral whose configuration does not speak of one. */
    private static final int MISTRAL_WINDOW = 4096;

    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        boolean llama = json.string("model_type").equals(LLAMA);
        boolean bias = llama && json.bool("attention_bias", false);
        Attention attention = DecoderFields.attention(json).withBiases(bias, bias);
        if (!llama) {
            json.integer("num_key_value_heads", 1); // transformers takes 8 where there is none
            attention = attention.withMasks(DecoderFields.given(json, "sliding_window") ? DecoderFields.masks(json)
                    : new Mask[] {Mask.window(MISTRAL_WINDOW - 1, 0)});
        }
        var feedForward = DecoderFields.gated(json, "hidden_act", "silu", llama && json.bool("mlp_bias", false));
        return DecoderFields.describe(json, context, attention, feedForward, DecoderFields.rms(json, 1e-6f), false)
                .withPositions(RopeFields.of(json, context).rotary(attention.headDim(), 10_000));
    }

    @Override
    public int longest(JsonFile json) throws FormatException {
        return RopeFields.of(json, 1).longest();
    }

    @Override
    public WeightNames names(JsonFile config) {
        return DecoderFields.LLAMA;
    }
}
