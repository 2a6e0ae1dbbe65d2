package dev.fovea.model.family;

import dev.fovea.ops.Activation;
import java.util.EnumMap;
import java.util.Map;

/**
 * A head that scores, and what its weights are called.
 *
 * @param head what it computes
 * @param names of its parts
 * @param bias the name of the scores' bias if it is not that of their matrix, ending included; else null
 */
record NamedHead(Head.Scores head, Map<Part, String> names, String bias) {
    /** A linear layer alone. */
    static NamedHead of(Head.Reading reading, int outputs, String output) {
        return new NamedHead(new Head.Scores(reading, null, outputs, true, false), Map.of(Part.HEAD_OUTPUT, output),
                null);
    }

    /** A dense layer of the model's width, with a bias, and a linear layer. */
    static NamedHead of(Head.Reading reading, Description encoder, Activation activation, String dense, int outputs,
            String output) {
        var layer = new Head.Dense(encoder.width(), activation, true, false);
        return new NamedHead(new Head.Scores(reading, layer, outputs, true, false),
                Map.of(Part.HEAD_DENSE, dense, Part.HEAD_OUTPUT, output), null);
    }

    /** A dense layer and a norm before the words, whose matrix is that of the embeddings. */
    static NamedHead words(Description encoder, Activation activation, String dense, String norm, String bias) {
        var layer = new Head.Dense(encoder.embeddingWidth(), activation, true, true);
        return new NamedHead(new Head.Scores(Head.Reading.TOKENS, layer, encoder.vocabulary(), true, true),
                Map.of(Part.HEAD_DENSE, dense, Part.HEAD_NORM, norm), bias);
    }

    /** The encoder's names, with those of this head. */
    WeightNames addTo(WeightNames encoder) {
        Map<Part, String> all = new EnumMap<>(Part.class);
        all.putAll(names);
        all.putIfAbsent(Part.HEAD_OUTPUT, "scores");
        WeightNames named = encoder.with(all);
        return bias == null ? named : named.withBias(Part.HEAD_OUTPUT, bias);
    }
}
