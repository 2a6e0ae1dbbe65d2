package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.tensor.DType;
import java.util.Objects;

/**
 * How a language model is loaded. Immutable; each {@code with…} gives a copy.
 *
 * @param engine the engine to run on, which stays the caller's; {@code null} for one that the generator creates and closes
 *     itself
 * @param engineOptions what the generator's own engine is created with; unused where {@code engine} is given
 * @param weights what the weights of linear layers are kept as; {@code null} for {@link WeightType#STORED}, or on a GPU
 *     for {@link WeightType#BF16} where the file has these, else {@link WeightType#F32}
 * @param context tokens of the longest sequence, prompt and answer together; 0 for as many as the model was trained for,
 *     and at most {@value #DEFAULT_CONTEXT}. Memory for the keys and values of all of them is taken when an answer begins.
 * @param cache what keys and values are kept as: F32, F16 or BF16
 */
public record GeneratorOptions(Engine engine, EngineOptions engineOptions, WeightType weights, int context, DType cache) {
    /** The context of models that were trained for more. */
    public static final int DEFAULT_CONTEXT = 4096;

    /** Checks the values. */
    public GeneratorOptions {
        Objects.requireNonNull(engineOptions, "engineOptions");
        if (context < 0) {
            throw new IllegalArgumentException("context must be at least 1, or 0 for the model's own, got " + context);
        }
        if (cache != DType.F32 && cache != DType.F16 && cache != DType.BF16) {
            throw new IllegalArgumentException("expected a cache of dtype F32, F16 or BF16, got " + cache);
        }
    }

    /** An own engine with {@link EngineOptions#defaults()}, and the model's own values; keys and values in F16. */
    public static GeneratorOptions defaults() {
        return new GeneratorOptions(null, EngineOptions.defaults(), null, 0, DType.F16);
    }

    /** A copy that runs on {@code engine}. The caller closes it, after the generator. */
    public GeneratorOptions withEngine(Engine engine) {
        return new GeneratorOptions(Objects.requireNonNull(engine, "engine"), engineOptions, weights, context, cache);
    }

    /** A copy that runs on an engine of its own, created with {@code engineOptions}. */
    public GeneratorOptions withEngineOptions(EngineOptions engineOptions) {
        return new GeneratorOptions(null, engineOptions, weights, context, cache);
    }

    /** A copy that keeps weights as another type. */
    public GeneratorOptions withWeights(WeightType weights) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache);
    }

    /** A copy for sequences of other lengths. */
    public GeneratorOptions withContext(int context) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache);
    }

    /** A copy that keeps keys and values as another type. */
    public GeneratorOptions withCache(DType cache) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache);
    }
}
