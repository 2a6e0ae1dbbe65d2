package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.internal.files.Excerpt;
import java.util.Objects;

/**
 * How a model is loaded. Immutable; each {@code with…} gives a copy.
 *
 * @param engine the engine to run on, which stays the caller's; {@code null} for one that the encoder creates and
 *     closes itself
 * @param engineOptions what the encoder's own engine is created with; unused where {@code engine} is given
 * @param lengthPolicy what happens to texts of too many tokens
 * @param weights what the weights of linear layers are kept as
 * @param prompt what stands before each text, as {@link #withPrompt} takes it; {@code null} for the model's default
 * @param dimensions components to keep of each vector; 0 for as many as the model's files say
 * @param weightsFile which file has the weights, as {@link #withWeightsFile} takes it; {@code null} for the usual one
 */
public record EncoderOptions(Engine engine, EngineOptions engineOptions, LengthPolicy lengthPolicy, WeightType weights,
        String prompt, int dimensions, String weightsFile) {
    /** Checks that all but engine, prompt and weights file are there. */
    public EncoderOptions {
        Objects.requireNonNull(engineOptions, "engineOptions");
        Objects.requireNonNull(lengthPolicy, "lengthPolicy");
        Objects.requireNonNull(weights, "weights");
        if (dimensions < 0) {
            throw new IllegalArgumentException("expected at least 1 dimension, or 0 for the model's own, got " + dimensions);
        }
    }

    /**
     * An own engine with {@link EngineOptions#defaults()}, {@link LengthPolicy#TRUNCATE}, {@link WeightType#F32}, and
     * the model's own default prompt, number of dimensions and file of weights.
     */
    public static EncoderOptions defaults() {
        return new EncoderOptions(null, EngineOptions.defaults(), LengthPolicy.TRUNCATE, WeightType.F32, null, 0, null);
    }

    /** A copy that runs on {@code engine}. The caller closes it, after the encoder. */
    public EncoderOptions withEngine(Engine engine) {
        return new EncoderOptions(Objects.requireNonNull(engine, "engine"), engineOptions, lengthPolicy, weights, prompt, dimensions,
                weightsFile);
    }

    /** A copy that runs on an engine of its own, created with {@code engineOptions}. */
    public EncoderOptions withEngineOptions(EngineOptions engineOptions) {
        return new EncoderOptions(null, engineOptions, lengthPolicy, weights, prompt, dimensions,
                weightsFile);
    }

    /** A copy with another policy. */
    public EncoderOptions withLengthPolicy(LengthPolicy lengthPolicy) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights, prompt, dimensions,
                weightsFile);
    }

    /** A copy that keeps weights as another type. */
    public EncoderOptions withWeights(WeightType weights) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights, prompt, dimensions,
                weightsFile);
    }

    /**
     * A copy that puts a prompt before each text.
     *
     * @param nameOrText the name of one of the model's prompts, such as {@code query}; or the text itself, such as
     *     {@code "query: "}, which has another character than letters, digits, {@code _}, {@code .} and {@code -}; or
     *     the empty string for no prompt, whatever the model's default is
     */
    public EncoderOptions withPrompt(String nameOrText) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights,
                Objects.requireNonNull(nameOrText, "nameOrText"), dimensions, weightsFile);
    }

    /**
     * A copy that keeps the first components of each vector, normalised again if the model's vectors are; meant for
     * models that were trained for it: Kusupati et al., Matryoshka Representation Learning, arXiv:2205.13147.
     */
    public EncoderOptions withDimensions(int dimensions) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights, prompt, dimensions,
                weightsFile);
    }

    /**
     * A copy that reads the weights from this file of a directory that has several.
     *
     * @param weightsFile within the directory, such as {@code onnx/model_O2.onnx}; its ending is one of those of
     *     {@link dev.fovea.weights.Weights#open}
     */
    public EncoderOptions withWeightsFile(String weightsFile) {
        return new EncoderOptions(engine, engineOptions, lengthPolicy, weights, prompt, dimensions,
                Objects.requireNonNull(weightsFile, "weightsFile"));
    }

    /** That they are for a model with a head, whose prompt is an instruction if it has any. */
    void requirePlain(boolean instructed) {
        if (lengthPolicy == LengthPolicy.CHUNK_MEAN) {
            throw new IllegalArgumentException("expected a length policy of TRUNCATE or ERROR for a model with a head, got "
                    + lengthPolicy);
        }
        if (prompt != null && !instructed || dimensions != 0) {
            throw new IllegalArgumentException("prompts and dimensions are for vectors of texts; a model with a head has"
                    + " neither, got " + (dimensions == 0 ? "the prompt '" + Excerpt.of(prompt) + "'"
                    : dimensions + " dimensions"));
        }
    }
}
