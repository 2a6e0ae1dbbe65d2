package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** EuroBERT, Boizard et al., arXiv:2503.05500: Llama's layers, in which every token sees every other. */
final class EuroBertFamily implements EncoderFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
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

    @Override
    public Description describe(JsonFile json) throws FormatException {
        EncoderFields.requireAbsent(json, "rope_scaling");
        boolean bias = json.bool("attention_bias", false);
        int heads = json.integer("num_attention_heads", 1);
        int headDim = json.has("head_dim") ? json.integer("head_dim", 1)
                : EncoderFields.attention(json, "hidden_size", "num_attention_heads").headDim();
        int kvHeads = json.integer("num_key_value_heads", 1, heads);
        if (heads % kvHeads != 0) {
            throw json.wrong("num_key_value_heads", "a divisor of num_attention_heads " + heads);
        }
        if (headDim % 2 != 0) {
            throw json.wrong("head_dim", "an even number");
        }
        var attention = Description.Attention.of(heads, headDim).withKvHeads(kvHeads).withBiases(bias, bias);
        var feedForward = new FeedForward(json.integer("intermediate_size", 1),
                EncoderFields.activation(json, "hidden_act", "silu"), true, json.bool("mlp_bias", false));
        return Description.of(json.integer("vocab_size", 1), json.integer("hidden_size", 1),
                        json.integer("num_hidden_layers", 1), json.integer("max_position_embeddings", 1), attention,
                        feedForward)
                .withPositions(Positions.Rotary.of(theta(json), headDim))
                .withNorms(Norms.of(Norms.Kind.RMS, Norms.Place.BEFORE, json.positive("rms_norm_eps", 1e-5f)));
    }

    private static float theta(JsonFile json) throws FormatException {
        if (!json.has("rope_parameters")) {
            return json.positive("rope_theta", 250_000);
        }
        JsonFile parameters = json.object("rope_parameters");
        parameters.require("rope_type", "default");
        return parameters.positive("rope_theta", 250_000);
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("", "model.");
    }

    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix)
            throws FormatException {
        var reading = switch (config.string("classifier_pooling", "late")) {
            case "bos" -> Head.Reading.FIRST;
            case "mean" -> Head.Reading.MEAN;
            case "late" -> Head.Reading.MEAN_OF_SCORES;
            default -> throw config.wrong("classifier_pooling", "\"bos\", \"mean\" or \"late\"");
        };
        return NamedHead.of(reading, encoder, Activation.GELU_ERF, "dense", labels, "classifier");
    }
}
