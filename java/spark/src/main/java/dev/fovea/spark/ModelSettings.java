package dev.fovea.spark;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.WeightType;
import java.io.Serializable;
import org.apache.spark.SparkEnv;
import org.apache.spark.SparkFiles;
import org.apache.spark.TaskContext;

/**
 * How an executor loads a model.
 *
 * @param model a name, the path of a directory, or a reference that {@link SparkModels#ship} gave
 * @param prompt null for the model's own
 * @param dimensions 0 for the model's own
 * @param taskCores cores that each task has, {@code spark.task.cpus}
 */
record ModelSettings(String model, WeightType weights, LengthPolicy lengthPolicy, String prompt, int dimensions, int taskCores)
        implements Serializable {
    /** These, for the tasks that run where this is called. */
    ModelSettings here() {
        TaskContext task = TaskContext.get();
        return new ModelSettings(model, weights, lengthPolicy, prompt, dimensions, task == null ? 1 : task.cpus());
    }

    EncoderOptions options() {
        EncoderOptions options = EncoderOptions.defaults().withWeights(weights).withLengthPolicy(lengthPolicy)
                .withEngineOptions(EngineOptions.defaults().withThreads(threads()));
        if (prompt != null) {
            options = options.withPrompt(prompt);
        }
        return dimensions == 0 ? options : options.withDimensions(dimensions);
    }

    /**
     * Threads of the engine that the tasks of an executor share. A task's own thread computes, so that engines of tasks with
     * one core have no thread beside; tasks with more share as many as make up the executor's cores.
     */
    private int threads() {
        if (taskCores == 1) {
            return 1;
        }
        int cores = Runtime.getRuntime().availableProcessors();
        SparkEnv environment = SparkEnv.get();
        if (environment != null) {
            cores = environment.conf().getInt("spark.executor.cores", cores);
        }
        return Math.max(1, cores - cores / taskCores + 1);
    }

    /** The model's name or the path of its directory, here. */
    String place() {
        return model.startsWith(SparkModels.SHIPPED) ? SparkFiles.get(model.substring(SparkModels.SHIPPED.length())) : model;
    }
}
