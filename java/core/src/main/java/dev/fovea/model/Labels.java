package dev.fovea.model;

import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.util.ArrayList;
import java.util.List;

/** The labels of a model's {@code config.json}, and what becomes of their scores. */
final class Labels {
    private Labels() {}

    /** The names of {@code id2label}, by their numbers; without it {@code LABEL_0} and {@code LABEL_1}. */
    static List<String> of(JsonFile config) throws FormatException {
        if (!config.has("id2label")) {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < config.integer("num_labels", 1, 2); i++) {
                names.add("LABEL_" + i);
            }
            return names;
        }
        JsonFile labels = config.object("id2label");
        if (labels.fields().isEmpty()) {
            throw config.wrong("id2label", "at least one label");
        }
        List<String> names = new ArrayList<>();
        for (int i = 0; i < labels.fields().size(); i++) {
            names.add(labels.string(Integer.toString(i)));
        }
        return names;
    }

    /** Probabilities that sum to 1. */
    static float[] softmax(float[] scores) {
        double peak = Double.NEGATIVE_INFINITY;
        for (float score : scores) {
            peak = Math.max(peak, score);
        }
        double sum = 0;
        for (float score : scores) {
            sum += Math.exp(score - peak);
        }
        float[] probabilities = new float[scores.length];
        for (int i = 0; i < scores.length; i++) {
            probabilities[i] = (float) (Math.exp(scores[i] - peak) / sum);
        }
        return probabilities;
    }

    static float sigmoid(float score) {
        return (float) (1 / (1 + Math.exp(-score)));
    }
}
