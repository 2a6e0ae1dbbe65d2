package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * ModernBERT, Warner et al., arXiv:2412.13663: norms before sub-layers, GEGLU, RoPE of two bases, and windows in all
 * layers but every third.
 */
final class ModernBertFamily implements EncoderFamily {
    private static final String FULL = "full_attention";
    private static final String WINDOW = "sliding_attention";

    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
                    Map.entry(Part.WORDS, "embeddings.tok_embeddings"),
                    Map.entry(Part.EMBEDDING_NORM, "embeddings.norm"),
                    Map.entry(Part.ATTENTION_OUTPUT, "layers.#.attn.Wo"),
                    Map.entry(Part.ATTENTION_NORM, "layers.#.attn_norm"),
                    Map.entry(Part.DOWN, "layers.#.mlp.Wo"),
                    Map.entry(Part.FEED_FORWARD_NORM, "layers.#.mlp_norm"),
                    Map.entry(Part.FINAL_NORM, "final_norm")))
            .withFused("layers.#.attn.Wqkv", Part.QUERY, Part.KEY, Part.VALUE)
            .withFused("layers.#.mlp.Wi", Part.GATE, Part.UP);

    @Override
    public Description describe(JsonFile json) throws FormatException {
        boolean bias = json.bool("attention_bias", false);
        int layers = json.integer("num_hidden_layers", 1);
        List<String> kinds = kinds(json, layers);
        int window = json.integer("local_attention", 1, 128) / 2;
        var attention = EncoderFields.attention(json, "hidden_size", "num_attention_heads").withBiases(bias, bias)
                .withMasks(kinds.stream().map(kind -> kind.equals(FULL) ? Mask.none() : Mask.window(window, window))
                        .toArray(Mask[]::new));
        var feedForward = new FeedForward(json.integer("intermediate_size", 1),
                EncoderFields.activation(json, "hidden_activation", "gelu"), true, json.bool("mlp_bias", false));
        List<Positions> rotaries = new ArrayList<>();
        for (String kind : kinds) {
            rotaries.add(Positions.Rotary.of(theta(json, kind), attention.headDim()));
        }
        return Description.of(json.integer("vocab_size", 1), json.integer("hidden_size", 1), layers,
                        json.integer("max_position_embeddings", 1), attention, feedForward)
                .withPositions(new Positions.RotaryInTurn(rotaries))
                .withNorms(new Norms(Norms.Kind.LAYER, Norms.Place.BEFORE, json.positive("norm_eps", 1e-5f),
                        json.bool("norm_bias", false), false, true, true, false));
    }

    /** What the layers see in turn: all tokens, or a window. */
    private static List<String> kinds(JsonFile json, int layers) throws FormatException {
        if (json.has("layer_types")) {
            List<String> kinds = json.strings("layer_types");
            if (kinds.size() != layers || !List.of(FULL, WINDOW).containsAll(kinds)) {
                throw json.wrong("layer_types", "\"" + FULL + "\" or \"" + WINDOW + "\" for each of " + layers + " layers");
            }
            return kinds;
        }
        int every = json.integer("global_attn_every_n_layers", 1, 3);
        List<String> kinds = new ArrayList<>(List.of(FULL));
        while (kinds.size() < Math.min(every, layers)) {
            kinds.add(WINDOW);
        }
        return kinds;
    }

    private static float theta(JsonFile json, String kind) throws FormatException {
        if (json.has("rope_parameters")) {
            JsonFile parameters = json.object("rope_parameters").object(kind);
            parameters.require("rope_type", "default");
            return parameters.positive("rope_theta", kind.equals(FULL) ? 160_000 : 10_000);
        }
        float global = json.positive("global_rope_theta", 160_000);
        return kind.equals(FULL) ? global : json.positive("local_rope_theta", global);
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
        var reading = switch (config.string("classifier_pooling", "cls")) {
            case "cls" -> Head.Reading.FIRST;
            case "mean" -> Head.Reading.MEAN;
            default -> throw config.wrong("classifier_pooling", "\"cls\" or \"mean\"");
        };
        return head(config, encoder, reading, labels);
    }

    @Override
    public NamedHead tagger(JsonFile config, Description encoder, int labels, String prefix) throws FormatException {
        return head(config, encoder, Head.Reading.TOKENS, labels);
    }

    private static NamedHead head(JsonFile config, Description encoder, Head.Reading reading, int labels)
            throws FormatException {
        return new NamedHead(new Head.Scores(reading, dense(config, encoder), labels, true, false),
                Map.of(Part.HEAD_DENSE, "head.dense", Part.HEAD_NORM, "head.norm", Part.HEAD_OUTPUT, "classifier"),
                null);
    }

    private static Head.Dense dense(JsonFile config, Description encoder) throws FormatException {
        return new Head.Dense(encoder.width(), EncoderFields.activation(config, "classifier_activation", "gelu"),
                config.bool("classifier_bias", false), true);
    }

    @Override
    public NamedHead words(JsonFile config, Description encoder, String prefix) throws FormatException {
        boolean bias = config.bool("decoder_bias", true);
        return new NamedHead(
                new Head.Scores(Head.Reading.TOKENS, dense(config, encoder), encoder.vocabulary(), bias, true),
                Map.of(Part.HEAD_DENSE, "head.dense", Part.HEAD_NORM, "head.norm"), "decoder.bias");
    }
}
