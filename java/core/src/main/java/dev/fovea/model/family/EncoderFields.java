package dev.fovea.model.family;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.ops.Activation;
import dev.fovea.weights.FormatException;
import java.util.Map;
import java.util.TreeSet;

/** Fields that the configurations of several families have. */
final class EncoderFields {
    private static final Map<String, Activation> ACTIVATIONS = Map.ofEntries(
            Map.entry("gelu", Activation.GELU_ERF),
            Map.entry("gelu_python", Activation.GELU_ERF),
            Map.entry("gelu_new", Activation.GELU_TANH),
            Map.entry("gelu_pytorch_tanh", Activation.GELU_TANH),
            Map.entry("gelu_fast", Activation.GELU_TANH),
            Map.entry("quick_gelu", Activation.QUICK_GELU),
            Map.entry("relu", Activation.RELU),
            Map.entry("silu", Activation.SILU),
            Map.entry("swish", Activation.SILU),
            Map.entry("tanh", Activation.TANH));

    private EncoderFields() {}

    /** An activation by the name that transformers gives it. */
    static Activation activation(JsonFile json, String field, String absent) throws FormatException {
        Activation activation = ACTIVATIONS.get(json.string(field, absent));
        if (activation == null) {
            throw json.wrong(field, "one of " + new TreeSet<>(ACTIVATIONS.keySet()));
        }
        return activation;
    }

    /** Attention of heads that share the width. */
    static Description.Attention attention(JsonFile json, String width, String heads) throws FormatException {
        int all = json.integer(width, 1);
        int count = json.integer(heads, 1);
        if (all % count != 0) {
            throw json.wrong(heads, "a divisor of " + width + ' ' + all);
        }
        return Description.Attention.of(count, all / count);
    }

    /** Refuses a field that is there. */
    static void requireAbsent(JsonFile json, String field) throws FormatException {
        if (json.has(field)) {
            throw json.wrong(field, "null");
        }
    }

    /** Positions whose first rows padding takes, as in RoBERTa. */
    static Positions.Learned behindPadding(JsonFile json, int rows) throws FormatException {
        int first = json.integer("pad_token_id", 0, 1) + 1;
        if (rows - first < 1) {
            throw json.wrong("max_position_embeddings", "more than pad_token_id + 1 = " + first);
        }
        return new Positions.Learned(rows, first);
    }

    /** Layer norms with biases behind each residual and behind the embeddings, as in BERT. */
    static Norms bertNorms(float epsilon) {
        return new Norms(Norms.Kind.LAYER, Norms.Place.AFTER, epsilon, true, false, true, false);
    }
}
