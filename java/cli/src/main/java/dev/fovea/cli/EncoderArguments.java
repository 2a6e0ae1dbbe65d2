package dev.fovea.cli;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** The options of the commands that encode texts. */
final class EncoderArguments extends ModelArguments {
    @Option(
            names = "--model",
            paramLabel = "NAME|DIR",
            defaultValue = "all-minilm-l6-v2",
            description = "A name from 'fovea models', a directory in the Hugging Face layout or a"
                    + " .gguf file (default: ${DEFAULT-VALUE}).")
    private String model;

    @Option(
            names = "--prompt",
            paramLabel = "NAME|TEXT",
            description = "What to put before each text: the name of one of the model's prompts, which 'fovea models show'"
                    + " lists, or a text such as 'query: ', or '' for nothing (default: the model's own).")
    private String prompt;

    @Option(
            names = "--dimensions",
            paramLabel = "N",
            description = "Keep the first N components of each vector, normalised again if the model's are"
                    + " (default: the model's own).")
    private Integer dimensions;

    /** Whether the model is not the default. */
    boolean namesModel() {
        return command().commandLine().getParseResult().hasMatchedOption("--model");
    }

    /** Whether the model is one that writes texts. */
    boolean namesGenerator() throws IOException {
        return namesModel() && ModelCatalog.find(model).isEmpty() && TextGenerator.takes(directory());
    }

    /**
     * Loads such a model.
     *
     * @throws ParameterException if an option is there that only encoders have
     */
    TextGenerator loadGenerator(PrintWriter err) throws IOException {
        refuse("--prompt", prompt, "of an encoder, and " + model + " is a language model");
        GeneratorOptions options = GeneratorOptions.defaults().withEngineOptions(engine());
        try (var _ = new DelayedNotice(err, "Loading " + model + " …")) {
            return TextGenerator.load(directory(), weights() == null ? options : options.withWeights(weights()));
        }
    }

    /** Refuses the option that changes vectors, where there are none. */
    void refuseDimensions() {
        refuse("--dimensions", dimensions, "of vectors, and this command writes none");
    }

    private void refuse(String option, Object value, String why) {
        if (value != null) {
            throw new ParameterException(command().commandLine(), option + " is " + why);
        }
    }

    /** The model's directory, for what catalogued models do not do. */
    Path directory() {
        return Path.of(model);
    }

    /**
     * Loads the model. If it has to be unpacked first and that takes a noticeable time, a message on {@code err} says
     * so.
     *
     * @throws ParameterException if the number of threads or of dimensions is out of range
     */
    TextEncoder load(PrintWriter err, LengthPolicy lengthPolicy) throws IOException {
        EncoderOptions options = options(lengthPolicy);
        Optional<NamedModel> named = ModelCatalog.find(model).filter(NamedModel::hasArtifact);
        if (named.isPresent()) {
            try (var _ = new DelayedNotice(err, "Unpacking " + named.get().name() + " …")) {
                ModelCatalog.directory(named.get());
            } catch (IOException e) {
                // Loading keeps the model in memory, or says why it cannot.
            }
        }
        return TextEncoder.load(model, options);
    }

    /**
     * What the model is loaded with.
     *
     * @throws ParameterException if the number of threads or of dimensions is out of range
     */
    EncoderOptions options(LengthPolicy lengthPolicy) {
        EncoderOptions options = options().withLengthPolicy(lengthPolicy);
        if (dimensions != null) {
            if (dimensions < 1) {
                throw new ParameterException(command().commandLine(),
                        "--dimensions must be at least 1, got " + dimensions);
            }
            options = options.withDimensions(dimensions);
        }
        return prompt == null ? options : options.withPrompt(prompt);
    }
}
