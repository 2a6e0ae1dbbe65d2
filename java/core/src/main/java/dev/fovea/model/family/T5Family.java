package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Mask;
import dev.fovea.weights.FormatException;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * T5, Raffel et al., arXiv:1910.10683, and its versions 1.1, mT5, arXiv:2010.11934, and Flan-T5, arXiv:2210.11416: scores
 * that are not scaled, and a number for each distance that all layers of a stack share. As an encoder, its first stack.
 */
final class T5Family implements EncoderFamily {
    /** What texts have as a rule, where the configuration does not say; no position is learned. */
    private static final int USUAL_POSITIONS = 512;

    static final WeightNames ENCODER = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "shared"),
            Map.entry(Part.DISTANCES, "encoder.block.0.layer.0.SelfAttention.relative_attention_bias"),
            Map.entry(Part.QUERY, "encoder.block.#.layer.0.SelfAttention.q"),
            Map.entry(Part.KEY, "encoder.block.#.layer.0.SelfAttention.k"),
            Map.entry(Part.VALUE, "encoder.block.#.layer.0.SelfAttention.v"),
            Map.entry(Part.ATTENTION_OUTPUT, "encoder.block.#.layer.0.SelfAttention.o"),
            Map.entry(Part.ATTENTION_NORM, "encoder.block.#.layer.0.layer_norm"),
            Map.entry(Part.GATE, "encoder.block.#.layer.1.DenseReluDense.wi_0"),
            Map.entry(Part.UP, "encoder.block.#.layer.1.DenseReluDense.wi_1"),
            Map.entry(Part.DOWN, "encoder.block.#.layer.1.DenseReluDense.wo"),
            Map.entry(Part.FEED_FORWARD_NORM, "encoder.block.#.layer.1.layer_norm"),
            Map.entry(Part.FINAL_NORM, "encoder.final_layer_norm")));

    private static final Map<Part, String> CROSS = Map.of(
            Part.CROSS_QUERY, "decoder.block.#.layer.1.EncDecAttention.q",
            Part.CROSS_KEY, "decoder.block.#.layer.1.EncDecAttention.k",
            Part.CROSS_VALUE, "decoder.block.#.layer.1.EncDecAttention.v",
            Part.CROSS_OUTPUT, "decoder.block.#.layer.1.EncDecAttention.o",
            Part.CROSS_NORM, "decoder.block.#.layer.1.layer_norm",
            Part.OUTPUT, DecoderConfig.OUTPUT);

    @Override
    public Description describe(JsonFile json) throws FormatException {
        return encoder(json, positions(json));
    }

    static int positions(JsonFile json) throws FormatException {
        return json.integer("n_positions", 1, USUAL_POSITIONS);
    }

    /** The first stack, for sequences of up to {@code maxTokens}. */
    static Description encoder(JsonFile json, int maxTokens) throws FormatException {
        return stack(json, json.integer("num_layers", 1), maxTokens, Mask.none());
    }

    /** The second stack. */
    static Description decoder(JsonFile json, int maxTokens) throws FormatException {
        return stack(json, json.integer("num_decoder_layers", 1, json.integer("num_layers", 1)), maxTokens, Mask.causal())
                .withCrossAttention(true).withHead(new Head.NextToken(isTied(json), 0));
    }

    private static Description stack(JsonFile json, int layers, int maxTokens, Mask mask) throws FormatException {
        boolean first = json.string("model_type").equals("t5");
        String network = json.string("feed_forward_proj", first ? "relu" : "gated-gelu");
        boolean gated = network.startsWith("gated-");
        Activation activation = switch (gated ? network.substring(6) : network) {
            case "relu" -> Activation.RELU;
            case "gelu_new" -> Activation.GELU_TANH;
            case "gelu" -> gated ? Activation.GELU_TANH : Activation.GELU_ERF; // as transformers has it
            case "silu" -> Activation.SILU;
            default -> throw json.wrong("feed_forward_proj", "relu, gelu, gelu_new or silu, or one of these behind gated-");
        };
        int buckets = json.integer("relative_attention_num_buckets", 4, 32);
        int distance = json.integer("relative_attention_max_distance", 1, 128);
        if (buckets % 2 != 0 || distance <= buckets / 2) {
            throw json.wrong("relative_attention_num_buckets", "an even number, of which a half is below the"
                    + " relative_attention_max_distance " + distance);
        }
        var attention = Description.Attention.of(json.integer("num_heads", 1), json.integer("d_kv", 1))
                .withBiases(false, false).withScores(1, 0).withMasks(mask);
        return Description.of(json.integer("vocab_size", 1), json.integer("d_model", 1), layers, maxTokens, attention,
                        new FeedForward(json.integer("d_ff", 1), activation, gated, false))
                .withPositions(new Positions.RelativeBias(buckets, distance))
                .withNorms(Norms.of(Norms.Kind.RMS, Norms.Place.BEFORE, json.positive("layer_norm_epsilon", 1e-6f)));
    }

    /** Whether the matrix of logits is that of the embeddings. */
    static boolean isTied(JsonFile json) throws FormatException {
        return json.bool("tie_word_embeddings", json.string("model_type").equals("t5"));
    }

    /** The factor of what is multiplied by that matrix. */
    static float outputScale(JsonFile json) throws FormatException {
        return json.bool("scale_decoder_outputs", isTied(json)) ? (float) Math.pow(json.integer("d_model", 1), -0.5) : 1;
    }

    @Override
    public WeightNames names(JsonFile config) throws FormatException {
        return plain(ENCODER, config);
    }

    static WeightNames decoderNames(JsonFile config) throws FormatException {
        Map<Part, String> names = new EnumMap<>(Part.class);
        plain(ENCODER, config).names().forEach((part, name) -> names.put(part,
                name.replace("encoder.", "decoder.").replace(".layer.1.", ".layer.2.")));
        names.putAll(CROSS);
        return WeightNames.of(names);
    }

    private static WeightNames plain(WeightNames names, JsonFile config) throws FormatException {
        boolean gated = encoder(config, 1).feedForward().gated();
        return gated ? names : names.with(Map.of(Part.UP, names.names().get(Part.UP).replace("wi_1", "wi")));
    }

    @Override
    public List<String> prefixes() {
        return List.of("");
    }

    @Override
    public NamedHead tagger(JsonFile config, Description encoder, int labels, String prefix) {
        return NamedHead.of(Head.Reading.TOKENS, labels, "classifier");
    }
}
