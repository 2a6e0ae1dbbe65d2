package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.util.Objects;

/**
 * How a model is loaded. Immutable; each {@code with…} gives a copy.
 *
 * @param engine the engine to run on, which stays the caller's; {@code null} for one that the encoder creates and
 *     closes itself
 * @param engineOptions what the encoder's own engine is created with; unused where {@code engine} is given
 * @param lengthPolicy what happens to texts of too many tokens
 * @param weights what the weights of linear layers are kept as
 */
public record EncoderOptions(
        Engine engine, EngineOptions engineOptions, LengthPolicy lengthPolicy, WeightType weights) {
    /** Checks that all but the engine are there. */
    public EncoderOptions {
        Objects.requireNonNull(engineOptions, "engineOptions");
        Objects.requireNonNull(lengthPolicy, "lengthPolicy");
        Objects.requireNonNull(weights, "weights");
    }

    /**
     * An own engine with {@link EngineOptions#defaults()}, {@link LengthPolicy#TRUNCATE} and {@link WeightType#F32}.
     */
    public static EncoderOptions defaults() {
        return new EncoderOptions(null, EngineOptions.defaults(), LengthPolicy.TRUNCATE, WeightType.F32);
    }

    /** A copy that runs on {@code engine}. The caller closes it, after the encoder. */
    public EncoderOptions withEngine(Engine engine) {
        return new EncoderOptions(Objects.requireNonNull(engine, "engine"), engineOptions, lengthPolicy, weights);
    }

    /** A copy that runs on an engine of its own, created with {@code engineOptions}. */
    public EncoderOptions withEngineOptions(EngineOptions engineOptions) {
        return new EncoderOptions(null, engineOptions, lengthPolicy, weights);
    }

    /** A copy with another policy. */
    public EncoderOptions withLengthPolicy(LengthPolicy lengthPolicy) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights);
    }

    /** A copy that keeps weights as another type. */
    public EncoderOptions withWeights(WeightType weights) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights);
    }
}
