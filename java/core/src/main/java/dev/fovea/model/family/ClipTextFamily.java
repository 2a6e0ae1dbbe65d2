package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Map;

/** The text encoder of CLIP, Radford et al., arXiv:2103.00020: a token sees those before it, and the last one stands for all. */
final class ClipTextFamily implements EncoderFamily {
    private static final String LAYER = "encoder.layers.#.";

    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embeddings.token_embedding"),
            Map.entry(Part.POSITIONS, "embeddings.position_embedding"),
            Map.entry(Part.QUERY, LAYER + "self_attn.q_proj"),
            Map.entry(Part.KEY, LAYER + "self_attn.k_proj"),
            Map.entry(Part.VALUE, LAYER + "self_attn.v_proj"),
            Map.entry(Part.ATTENTION_OUTPUT, LAYER + "self_attn.out_proj"),
            Map.entry(Part.ATTENTION_NORM, LAYER + "layer_norm1"),
            Map.entry(Part.UP, LAYER + "mlp.fc1"),
            Map.entry(Part.DOWN, LAYER + "mlp.fc2"),
            Map.entry(Part.FEED_FORWARD_NORM, LAYER + "layer_norm2"),
            Map.entry(Part.FINAL_NORM, "final_layer_norm")));

    /** The settings of the text encoder, which stand within those of both encoders. */
    private static JsonFile text(JsonFile json) throws FormatException {
        return json.has("text_config") ? json.object("text_config") : json;
    }

    @Override
    public Description describe(JsonFile config) throws FormatException {
        JsonFile json = text(config);
        int rows = json.integer("max_position_embeddings", 1, 77);
        var feedForward = new Description.FeedForward(json.integer("intermediate_size", 1, 2048),
                EncoderFields.activation(json, "hidden_act", "quick_gelu"), false, true);
        int width = json.integer("hidden_size", 1, 512);
        int heads = json.integer("num_attention_heads", 1, 8);
        if (width % heads != 0) {
            throw json.wrong("num_attention_heads", "a divisor of hidden_size " + width);
        }
        var attention = Description.Attention.of(heads, width / heads).withMasks(Mask.causal());
        return Description.of(json.integer("vocab_size", 1, 49408), width, json.integer("num_hidden_layers", 1, 12),
                        rows, attention, feedForward)
                .withPositions(new Positions.Learned(rows, 0))
                .withNorms(Norms.of(Norms.Kind.LAYER, Norms.Place.BEFORE, json.positive("layer_norm_eps", 1e-5f)));
    }

    @Override
    public WeightNames names(JsonFile config) {
        return NAMES;
    }

    @Override
    public List<String> prefixes() {
        return List.of("text_model.", "");
    }

    /** Its projection into the space that texts and images share. */
    @Override
    public NamedHead classifier(JsonFile config, Description encoder, int labels, String prefix)
            throws FormatException {
        JsonFile json = config.has("projection_dim") ? config : text(config);
        var head = new Head.Scores(Head.Reading.LAST, null, json.integer("projection_dim", 1, 512), false, false);
        String before = prefix.replace("text_model.", "");
        return new NamedHead(head, Map.of(Part.HEAD_OUTPUT, before + "text_projection"), null);
    }
}
