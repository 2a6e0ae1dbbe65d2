package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;

/** SmolLM 3: Llama's layers, of which every fourth does not turn: Yang et al., arXiv:2501.18795. */
final class SmolLm3Family implements DecoderFamily {
    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        json.integer("num_key_value_heads", 1); // transformers takes 4 where there is none
        boolean bias = json.bool("attention_bias", false);
        boolean[] turning = turning(json);
        boolean windows = json.bool("use_sliding_window", false) && json.has("sliding_window");
        var kinds = DecoderFields.kinds(json, layer -> windows && !turning[layer]);
        var attention = DecoderFields.attention(json).withBiases(bias, bias).withMasks(DecoderFields.masks(json, kinds));
        var feedForward = DecoderFields.gated(json, "hidden_act", "silu", json.bool("mlp_bias", false));
        Positions rotary = RopeFields.of(json, context).rotary(attention.headDim(), 2_000_000);
        List<Positions> turns = new ArrayList<>();
        for (boolean turnsHere : turning) {
            turns.add(turnsHere ? rotary : new Positions.None());
        }
        return DecoderFields.describe(json, context, attention, feedForward, DecoderFields.rms(json, 1e-6f), true)
                .withPositions(new Positions.RotaryInTurn(turns));
    }

    /** Which layers turn: those with a 1 in {@code no_rope_layers}. */
    private static boolean[] turning(JsonFile json) throws FormatException {
        boolean[] turning = new boolean[json.integer("num_hidden_layers", 1)];
        int interval = json.integer("no_rope_layer_interval", 1, 4);
        List<Double> given = json.has("no_rope_layers") ? json.numbers("no_rope_layers") : null;
        if (given != null && (given.size() != turning.length || !given.stream().allMatch(n -> n == 0 || n == 1))) {
            throw json.wrong("no_rope_layers", "0 or 1 for each of " + turning.length + " layers");
        }
        for (int layer = 0; layer < turning.length; layer++) {
            turning[layer] = given == null ? (layer + 1) % interval != 0 : given.get(layer) == 1;
        }
        return turning;
    }

    @Override
    public WeightNames names(JsonFile config) {
        return DecoderFields.LLAMA;
    }
}
