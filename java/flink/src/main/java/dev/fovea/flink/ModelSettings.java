package dev.fovea.flink;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.QueueOptions;
import dev.fovea.model.WeightType;
import java.io.Serializable;

/**
 * How a task manager loads a model.
 *
 * @param model a name, or the path of a directory or GGUF file
 * @param prompt null for the model's own
 * @param dimensions 0 for the model's own
 * @param threads that compute, 0 for as many as there are processors
 */
record ModelSettings(Task task, String model, String prompt, int dimensions, WeightType weights, LengthPolicy lengthPolicy,
        int threads) implements Serializable {
    /**
     * How the model is loaded: a batch computes on one thread, and several batches at once.
     *
     * @throws IllegalArgumentException naming a value that no model can have
     */
    EncoderOptions options() {
        EncoderOptions options = EncoderOptions.defaults().withWeights(weights).withLengthPolicy(lengthPolicy)
                .withEngineOptions(EngineOptions.defaults().withThreads(1));
        if (prompt != null) {
            options = options.withPrompt(prompt);
        }
        return dimensions == 0 ? options : options.withDimensions(dimensions);
    }

    /** How rows are gathered. Flink bounds the rows that are under way, so nothing is refused here. */
    QueueOptions queue() {
        return QueueOptions.defaults().withWorkers(threads).withQueuedTokens(Long.MAX_VALUE);
    }
}
