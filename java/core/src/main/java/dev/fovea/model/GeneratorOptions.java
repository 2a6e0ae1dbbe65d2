package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.backend.CachePages;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
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
 *     and at most {@value #DEFAULT_CONTEXT}
 * @param cache what keys and values are kept as: F32, F16, BF16 or Q8_0. Q8_0 is not for a GPU, and for models whose heads
 *     have a multiple of 32 elements.
 * @param concurrency answers that are written at once; each token of all of them is one pass over the weights
 * @param queue callers that wait beside those; one more is refused
 * @param cacheTokens tokens that there is memory for, those of all answers and of texts that are remembered together; 0 for
 *     twice the context. It is never less than the context.
 * @param speculation how tokens are guessed, to write faster; null for not at all. Not on a GPU.
 */
public record GeneratorOptions(Engine engine, EngineOptions engineOptions, WeightType weights, int context, Layout cache,
        int concurrency, int queue, int cacheTokens, Speculation speculation) {
    /** The context of models that were trained for more. */
    public static final int DEFAULT_CONTEXT = 4096;

    private static final GeneratorOptions DEFAULTS =
            new GeneratorOptions(null, EngineOptions.defaults(), null, 0, Layout.F16, 8, 64, 0, null);

    /** Checks the values. */
    public GeneratorOptions {
        Objects.requireNonNull(engineOptions, "engineOptions");
        if (context < 0) {
            throw new IllegalArgumentException("context must be at least 1, or 0 for the model's own, got " + context);
        }
        CachePages.require(Objects.requireNonNull(cache, "cache"));
        if (concurrency < 1) {
            throw new IllegalArgumentException("concurrency must be at least 1, got " + concurrency);
        }
        if (queue < 0) {
            throw new IllegalArgumentException("queue must not be negative, got " + queue);
        }
        if (cacheTokens < 0) {
            throw new IllegalArgumentException("cache_tokens must be at least 1, or 0 for twice the context, got " + cacheTokens);
        }
    }

    /**
     * An own engine with {@link EngineOptions#defaults()}, and the model's own values; keys and values in F16; 8 answers at
     * once and 64 callers that wait.
     */
    public static GeneratorOptions defaults() {
        return DEFAULTS;
    }

    /** A copy that runs on {@code engine}. The caller closes it, after the generator. */
    public GeneratorOptions withEngine(Engine engine) {
        return new GeneratorOptions(Objects.requireNonNull(engine, "engine"), engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that runs on an engine of its own, created with {@code engineOptions}. */
    public GeneratorOptions withEngineOptions(EngineOptions engineOptions) {
        return new GeneratorOptions(null, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that keeps weights as another type. */
    public GeneratorOptions withWeights(WeightType weights) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy for sequences of other lengths. */
    public GeneratorOptions withContext(int context) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that keeps keys and values as a type of elements: F32, F16 or BF16. */
    public GeneratorOptions withCache(DType cache) {
        return withCache(CachePages.layout(cache));
    }

    /** A copy that keeps keys and values as another type, such as {@link Layout#Q8_0}. */
    public GeneratorOptions withCache(Layout cache) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that writes another number of answers at once. */
    public GeneratorOptions withConcurrency(int concurrency) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy with another number of callers that wait. */
    public GeneratorOptions withQueue(int queue) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that has memory for another number of tokens. */
    public GeneratorOptions withCacheTokens(int cacheTokens) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue,
                cacheTokens, speculation);
    }

    /** A copy that guesses tokens to write faster; null for none. */
    public GeneratorOptions withSpeculation(Speculation speculation) {
        return new GeneratorOptions(engine, engineOptions, weights, context, cache, concurrency, queue, cacheTokens,
                speculation);
    }
}
