package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** GPT-2, Radford et al., Language Models are Unsupervised Multitask Learners, 2019. */
final class Gpt2Family implements DecoderFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.of(
                    Part.WORDS, "wte",
                    Part.POSITIONS, "wpe",
                    Part.ATTENTION_OUTPUT, "h.#.attn.c_proj",
                    Part.ATTENTION_NORM, "h.#.ln_1",
                    Part.UP, "h.#.mlp.c_fc",
                    Part.DOWN, "h.#.mlp.c_proj",
                    Part.FEED_FORWARD_NORM, "h.#.ln_2",
                    Part.FINAL_NORM, "ln_f"))
            .withFused("h.#.attn.c_attn", Part.QUERY, Part.KEY, Part.VALUE)
            .withTurned();

    @Override
    public int positions(JsonFile json) throws FormatException {
        return json.integer("n_positions", 1, 1024);
    }

    @Override
    public Description describe(JsonFile json, int context) throws FormatException {
        json.require("scale_attn_by_inverse_layer_idx", false);
        var attention = EncoderFields.attention(json, "n_embd", "n_head").withMasks(Mask.causal());
        if (!json.bool("scale_attn_weights", true)) {
            attention = attention.withScores(1, 0);
        }
        int width = json.integer("n_embd", 1);
        int inner = (int) Math.min(4L * width, Integer.MAX_VALUE); // no tensor has as many
        var feedForward = new FeedForward(json.integer("n_inner", 1, inner),
                EncoderFields.activation(json, "activation_function", "gelu_new"), false, true);
        return Description.of(json.integer("vocab_size", 1), width, json.integer("n_layer", 1), context, attention, feedForward)
                .withPositions(new Positions.Learned(positions(json), 0))
                .withNorms(Norms.of(Norms.Kind.LAYER, Norms.Place.BEFORE, json.positive("layer_norm_epsilon", 1e-5f)))
                .withHead(new Head.NextToken(json.bool("tie_word_embeddings", true), 0));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("transformer.", "");
    }
}
