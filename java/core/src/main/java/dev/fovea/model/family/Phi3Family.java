package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;

/** Phi-3 and Phi-4, Abdin et al., arXiv:2404.14219 and arXiv:2412.08905: Llama's layers with fused matrices. */
final class Phi3Family implements DecoderFamily {
    private static final WeightNames NAMES = DecoderFields.LLAMA
            .withFused("layers.#.self_attn.qkv_proj", Part.QUERY, Part.KEY, Part.VALUE)
            .withFused("layers.#.mlp.gate_up_proj", Part.GATE, Part.UP);

    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        var attention = DecoderFields.attention(json).withMasks(DecoderFields.masks(json));
        var feedForward = DecoderFields.gated(json, "hidden_act", "silu", false);
        RopeFields rope = RopeFields.of(json, context);
        // Earlier configurations call their factors of long texts by other names.
        String type = rope.type().equals("yarn") ? "longrope" : rope.type();
        return DecoderFields.describe(json, context, attention, feedForward, DecoderFields.rms(json, 1e-5f), false)
                .withPositions(rope.rotary(attention.headDim(), type, rope.theta("rope_theta", 10_000)));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }
}
