package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** Fields that the configurations of several families of language models have, and the names of their weights. */
final class DecoderFields {
    static final String FULL = "full_attention";
    static final String WINDOW = "sliding_attention";

    /** Those of Llama, Touvron et al., arXiv:2302.13971, which most later families took over. */
    static final WeightNames LLAMA = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embed_tokens"),
            Map.entry(Part.QUERY, "layers.#.self_attn.q_proj"),
            Map.entry(Part.KEY, "layers.#.self_attn.k_proj"),
            Map.entry(Part.VALUE, "layers.#.self_attn.v_proj"),
            Map.entry(Part.ATTENTION_OUTPUT, "layers.#.self_attn.o_proj"),
            Map.entry(Part.ATTENTION_NORM, "layers.#.input_layernorm"),
            Map.entry(Part.GATE, "layers.#.mlp.gate_proj"),
            Map.entry(Part.UP, "layers.#.mlp.up_proj"),
            Map.entry(Part.DOWN, "layers.#.mlp.down_proj"),
            Map.entry(Part.FEED_FORWARD_NORM, "layers.#.post_attention_layernorm"),
            Map.entry(Part.FINAL_NORM, "norm")));

    private DecoderFields() {}

    /** Whether a field is there, null or not: where it is not, a family may have another default than null. */
    static boolean given(JsonFile json, String field) {
        return json.fields().contains(field);
    }

    /** Heads of the configuration without biases, causal; {@code head_dim} is the width's share unless given. */
    static Attention attention(JsonFile json) throws FormatException {
        int heads = json.integer("num_attention_heads", 1);
        int headDim = json.has("head_dim") ? json.integer("head_dim", 1)
                : EncoderFields.attention(json, "hidden_size", "num_attention_heads").headDim();
        int kvHeads = json.integer("num_key_value_heads", 1, heads);
        if (heads % kvHeads != 0) {
            throw json.wrong("num_key_value_heads", "a divisor of num_attention_heads " + heads);
        }
        return Attention.of(heads, headDim).withKvHeads(kvHeads).withBiases(false, false).withMasks(Mask.causal());
    }

    /** A gated network. */
    static FeedForward gated(JsonFile json, String activation, String absent, boolean bias) throws FormatException {
        return new FeedForward(json.integer("intermediate_size", 1), EncoderFields.activation(json, activation, absent),
                true, bias);
    }

    /** RMS norms before sub-layers. */
    static Norms rms(JsonFile json, float absent) throws FormatException {
        return Norms.of(Norms.Kind.RMS, Norms.Place.BEFORE, json.positive("rms_norm_eps", absent));
    }

    /** Layers of these parts, as long as the context. */
    static Description describe(JsonFile json, int context, Attention attention, FeedForward feedForward, Norms norms,
            boolean tied) throws FormatException {
        return new Description(json.integer("vocab_size", 1), json.integer("hidden_size", 1),
                json.integer("num_hidden_layers", 1), context, new Description.Embedding(1, 0), new Positions.None(),
                attention, false, feedForward, norms, new Head.NextToken(json.bool("tie_word_embeddings", tied), 0));
    }

    /** What the layers see in turn, by {@code layer_types}; without that, those windows that {@code isWindow} says. */
    static List<String> kinds(JsonFile json, IntPredicate isWindow) throws FormatException {
        int layers = json.integer("num_hidden_layers", 1);
        if (json.has("layer_types")) {
            List<String> kinds = json.strings("layer_types");
            if (kinds.size() != layers || !List.of(FULL, WINDOW).containsAll(kinds)) {
                throw json.wrong("layer_types", "\"" + FULL + "\" or \"" + WINDOW + "\" for each of " + layers + " layers");
            }
            return kinds;
        }
        List<String> kinds = new ArrayList<>();
        for (int layer = 0; layer < layers; layer++) {
            kinds.add(isWindow.test(layer) ? WINDOW : FULL);
        }
        return kinds;
    }

    /** Causal masks of these kinds; a window counts its own token. */
    static Mask[] masks(JsonFile json, List<String> kinds) throws FormatException {
        Mask window = kinds.contains(WINDOW) ? Mask.window(json.integer("sliding_window", 1) - 1, 0) : null;
        return kinds.stream().map(kind -> kind.equals(WINDOW) ? window : Mask.causal()).toArray(Mask[]::new);
    }

    /** A window in all layers, unless the field is null. */
    static Mask[] masks(JsonFile json) throws FormatException {
        return json.has("sliding_window") ? new Mask[] {Mask.window(json.integer("sliding_window", 1) - 1, 0)}
                : new Mask[] {Mask.causal()};
    }

    /** Refuses what no family here has: a decoder that reads an encoder. */
    static void refuseEncoders(JsonFile json) throws FormatException {
        json.require("is_encoder_decoder", false);
        json.require("add_cross_attention", false);
    }
}
