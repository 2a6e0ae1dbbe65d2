package dev.fovea.cli;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.ModelCatalog;
import dev.fovea.model.NamedModel;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.WeightType;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the commands that encode texts. */
final class EncoderArguments {
    @Option(
            names = "--model",
            paramLabel = "NAME|DIR",
            defaultValue = "all-minilm-l6-v2",
            description = "A name from 'fovea models', or a directory in the Hugging Face layout"
                    + " (default: ${DEFAULT-VALUE}).")
    private String model;

    @Option(
            names = "--backend",
            paramLabel = "native|java|vector|cuda|auto",
            converter = BackendChoice.Converter.class,
            description = "The C core, plain Java, Java on the Vector API, which needs"
                    + " FOVEA_JAVA_OPTIONS='--add-modules jdk.incubator.vector', a GPU, or the first of cuda, native"
                    + " and java that works (default: native if it can be loaded, else java).")
    private BackendChoice backend;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Number of threads, 1 to " + EngineOptions.MAX_THREADS + " (default: one per CPU).")
    private Integer threads;

    @Option(
            names = "--weights",
            paramLabel = "f32|bf16|f16|int8",
            defaultValue = "f32",
            converter = LowerCaseEnum.OfWeightType.class,
            description = "Type of the weights in memory: f32, bf16 (half the memory), f16 (likewise, on cuda"
                    + " alone) or int8 (a quarter, not on cuda)"
                    + " (default: ${DEFAULT-VALUE}).")
    private WeightType weights;

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

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /**
     * Loads the model. If it has to be unpacked first and that takes a noticeable time, a message on {@code err} says
     * so.
     *
     * @throws ParameterException if the number of threads is out of range
     */
    TextEncoder load(PrintWriter err, LengthPolicy lengthPolicy) throws IOException {
        EncoderOptions options = options().withLengthPolicy(lengthPolicy);
        Optional<NamedModel> named = ModelCatalog.find(model);
        if (named.isPresent()) {
            try (var _ = new DelayedNotice(err, "Unpacking " + named.get().name() + " …")) {
                ModelCatalog.directory(named.get());
            }
        }
        return TextEncoder.load(model, options);
    }

    private EncoderOptions options() {
        EngineOptions engine = EngineOptions.defaults();
        if (backend != null) {
            engine = engine.withBackend(backend.backend());
        }
        if (threads != null) {
            if (threads < 1 || threads > EngineOptions.MAX_THREADS) {
                throw new ParameterException(command.commandLine(),
                        "--threads must be 1 to " + EngineOptions.MAX_THREADS + ", got " + threads);
            }
            engine = engine.withThreads(threads);
        }
        EncoderOptions options = EncoderOptions.defaults().withEngineOptions(engine).withWeights(weights);
        if (dimensions != null) {
            if (dimensions < 1) {
                throw new ParameterException(command.commandLine(), "--dimensions must be at least 1, got " + dimensions);
            }
            options = options.withDimensions(dimensions);
        }
        return prompt == null ? options : options.withPrompt(prompt);
    }
}
