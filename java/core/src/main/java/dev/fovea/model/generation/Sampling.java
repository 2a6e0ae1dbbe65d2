package dev.fovea.model.generation;

import java.util.Arrays;

/**
 * What is done to the logits of the next token: biases are added, penalties taken from tokens that are there already; of
 * what the temperature makes of them, top-k, top-p, min-p and typical leave some, of which one is drawn. Values that do
 * nothing: 0 for {@code topK} and {@code minP}, 1 for {@code topP}, {@code typicalP} and {@code repetitionPenalty}.
 *
 * @param temperature 0 takes the likeliest token
 * @param biases made once: going through them makes no object
 */
public record Sampling(float temperature, int topK, float topP, float minP, float typicalP, float repetitionPenalty,
        float presencePenalty, float frequencyPenalty, Bias[] biases, long seed, boolean logProbabilities) {
    /** What is added to the logit of a token. */
    public record Bias(int token, float amount) {}

    /** Copies the biases. */
    public Sampling {
        biases = Arrays.copyOf(biases, biases.length);
    }

    /** Whether logits are changed before a token is chosen. */
    boolean changesLogits() {
        return biases.length > 0 || repetitionPenalty != 1 || presencePenalty != 0 || frequencyPenalty != 0;
    }
}
