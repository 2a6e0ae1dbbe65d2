package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.model.family.Description.Attention;
import dev.fovea.model.family.Description.Embedding;
import dev.fovea.model.family.Description.FeedForward;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * The encoders of BERT, Devlin et al., arXiv:1810.04805, and of RoBERTa, Liu et al., arXiv:1907.11692, with XLM-R and
 * CamemBERT: what differs is the first position and what an absent field means.
 */
public final class BertFamily {
    private static final WeightNames NAMES = WeightNames.of(Map.ofEntries(
            Map.entry(Part.WORDS, "embeddings.word_embeddings"),
            Map.entry(Part.POSITIONS, "embeddings.position_embeddings"),
            Map.entry(Part.TOKEN_TYPES, "embeddings.token_type_embeddings"),
            Map.entry(Part.EMBEDDING_NORM, "embeddings.LayerNorm"),
            Map.entry(Part.QUERY, "encoder.layer.#.attention.self.query"),
            Map.entry(Part.KEY, "encoder.layer.#.attention.self.key"),
            Map.entry(Part.VALUE, "encoder.layer.#.attention.self.value"),
            Map.entry(Part.ATTENTION_OUTPUT, "encoder.layer.#.attention.output.dense"),
            Map.entry(Part.ATTENTION_NORM, "encoder.layer.#.attention.output.LayerNorm"),
            Map.entry(Part.UP, "encoder.layer.#.intermediate.dense"),
            Map.entry(Part.DOWN, "encoder.layer.#.output.dense"),
            Map.entry(Part.FEED_FORWARD_NORM, "encoder.layer.#.output.LayerNorm")))
            .withEndings(".gamma", ".beta"); // as the first checkpoints call those of norms

    /** What stands before every name: nothing, or the encoder's name within a larger model. */
    private static final List<String> PREFIXES = List.of("", "bert.", "roberta.", "0.auto_model.");

    private static final Map<String, Activation> ACTIVATIONS = Map.of(
            "gelu", Activation.GELU_ERF,
            "gelu_new", Activation.GELU_TANH,
            "gelu_pytorch_tanh", Activation.GELU_TANH,
            "gelu_fast", Activation.GELU_TANH);

    private BertFamily() {}

    /**
     * Reads a {@code config.json}: {@code model_type} {@code bert}, {@code roberta}, {@code xlm-roberta} or
     * {@code camembert}.
     *
     * @return a description whose head is {@link Head.Hidden}
     * @throws FormatException if it is not that of an encoder of this family, or a value makes no sense; naming file,
     *     field and value
     */
    public static Description read(Path file) throws IOException {
        JsonFile json = JsonFile.read(file);
        boolean roberta = switch (json.string("model_type")) {
            case "bert" -> false;
            case "roberta", "xlm-roberta", "camembert" -> true;
            default -> throw json.wrong("model_type", "bert, roberta, xlm-roberta or camembert");
        };
        requireEncoder(json);
        int vocabulary = json.integer("vocab_size", 1);
        int hidden = json.integer("hidden_size", 1);
        int layers = json.integer("num_hidden_layers", 1);
        int heads = json.integer("num_attention_heads", 1);
        var feedForward = new FeedForward(json.integer("intermediate_size", 1), activation(json), false, true);
        int rows = json.integer("max_position_embeddings", 1);
        int first = roberta ? json.integer("pad_token_id", 0, 1) + 1 : 0;
        var embedding = new Embedding(1, json.integer("type_vocab_size", 1, roberta ? 1 : 2));
        float epsilon = json.positive("layer_norm_eps", roberta ? 1e-5f : 1e-12f);
        if (hidden % heads != 0) {
            throw json.wrong("num_attention_heads", "a divisor of hidden_size " + hidden);
        }
        if (rows - first < 1) {
            throw json.wrong("max_position_embeddings", "more than pad_token_id + 1 = " + first);
        }
        var attention = Attention.of(heads, hidden / heads);
        return Description.of(vocabulary, hidden, layers, rows - first, attention, feedForward)
                .withEmbedding(embedding)
                .withPositions(new Positions.Learned(rows, first))
                .withNorms(new Norms(Norms.Kind.LAYER, Norms.Place.AFTER, epsilon, true, false, true, false));
    }

    /**
     * Finds the weights that a description demands.
     *
     * @throws FormatException if one is missing or is not of the shape that the description says
     */
    public static ModelWeights weights(Description description, Weights file) throws FormatException {
        for (String prefix : PREFIXES) {
            WeightNames names = NAMES.withPrefix(prefix);
            if (names.candidates(Part.WORDS, 0, false).stream().anyMatch(file::contains)) {
                return ModelWeights.of(description, names, file);
            }
        }
        throw new FormatException(file.file(), -1, NAMES.candidates(Part.WORDS, 0, false).getFirst(),
                "no such tensor, with no prefix nor with bert. or roberta.; there are " + file.brief());
    }

    private static void requireEncoder(JsonFile json) throws FormatException {
        if (!json.string("position_embedding_type", "absolute").equals("absolute")) {
            throw json.wrong("position_embedding_type", "\"absolute\"");
        }
        if (json.bool("is_decoder", false)) {
            throw json.wrong("is_decoder", "false");
        }
    }

    private static Activation activation(JsonFile json) throws FormatException {
        Activation activation = ACTIVATIONS.get(json.string("hidden_act", "gelu"));
        if (activation == null) {
            throw json.wrong("hidden_act", "gelu, gelu_new, gelu_pytorch_tanh or gelu_fast");
        }
        return activation;
    }
}
