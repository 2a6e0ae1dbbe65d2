package dev.fovea.cli;

import dev.fovea.EngineOptions;
import dev.fovea.model.WeightType;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of what a model runs on. */
abstract class EngineArguments {
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
            paramLabel = "f32|bf16|f16|int8|stored|q4_k|…",
            converter = LowerCaseEnum.OfWeightType.class,
            description = "Type of the weights in memory: f32, bf16 or f16 (half the memory), int8 (a quarter,"
                    + " not on cuda), stored (as the file has them, not on cuda) or a type of GGUF such as q8_0"
                    + " or q4_k (not on cuda) (default: f32; for language models stored, or bf16 or f32 on cuda).")
    private WeightType weights;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    /** What the weights are kept as; null for the model's default. */
    final WeightType weights() {
        return weights;
    }

    /** What the model runs on. */
    final EngineOptions engine() {
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
        return engine;
    }

    /** The command that has the options. */
    final CommandSpec command() {
        return command;
    }
}
