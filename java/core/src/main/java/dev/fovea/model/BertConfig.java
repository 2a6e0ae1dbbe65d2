package dev.fovea.model;

import dev.fovea.graph.Activation;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * The sizes of a BERT-family encoder, as {@code config.json} gives them.
 *
 * @param modelType {@code bert}, {@code roberta}, {@code xlm-roberta} or {@code camembert}
 * @param vocabulary rows of the word embeddings
 * @param hidden width of a token's vector
 * @param layers the number of layers
 * @param heads attention heads; they share {@code hidden} evenly
 * @param intermediate width of the feed-forward layer
 * @param activation between its two linear layers
 * @param positions rows of the position embeddings
 * @param firstPosition the row of the first token
 * @param types rows of the type embeddings; a single text has type 0
 * @param epsilon of every layer norm
 */
record BertConfig(String modelType, int vocabulary, int hidden, int layers, int heads, int intermediate,
        Activation activation, int positions, int firstPosition, int types, float epsilon) {
    private static final Map<String, Activation> ACTIVATIONS = Map.of(
            "gelu", Activation.GELU_ERF,
            "gelu_new", Activation.GELU_TANH,
            "gelu_pytorch_tanh", Activation.GELU_TANH,
            "gelu_fast", Activation.GELU_TANH);

    /**
     * Reads a {@code config.json}.
     *
     * @throws FormatException if it is not that of a BERT-family encoder, or a value makes no sense; naming file,
     *     field and value
     */
    static BertConfig read(Path file) throws IOException {
        JsonFile json = JsonFile.read(file);
        String modelType = json.string("model_type");
        boolean roberta = switch (modelType) {
            case "bert" -> false;
            case "roberta", "xlm-roberta", "camembert" -> true;
            default -> throw json.wrong("model_type", "bert, roberta, xlm-roberta or camembert");
        };
        requireEncoder(json);
        BertConfig config = new BertConfig(
                modelType,
                json.integer("vocab_size", 1),
                json.integer("hidden_size", 1),
                json.integer("num_hidden_layers", 1),
                json.integer("num_attention_heads", 1),
                json.integer("intermediate_size", 1),
                activation(json),
                json.integer("max_position_embeddings", 1),
                roberta ? json.integer("pad_token_id", 0, 1) + 1 : 0,
                json.integer("type_vocab_size", 1, roberta ? 1 : 2),
                json.positive("layer_norm_eps", roberta ? 1e-5f : 1e-12f));
        config.check(json);
        return config;
    }

    /** Tokens that there are positions for. */
    int maxTokens() {
        return positions - firstPosition;
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

    private void check(JsonFile json) throws FormatException {
        if (hidden % heads != 0) {
            throw json.wrong("num_attention_heads", "a divisor of hidden_size " + hidden);
        }
        if (maxTokens() < 1) {
            throw json.wrong("max_position_embeddings", "more than pad_token_id + 1 = " + firstPosition);
        }
    }
}
