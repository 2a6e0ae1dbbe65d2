package dev.fovea.cli;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.LengthPolicy;
import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options of the commands that run a model with a head. */
final class HeadArguments extends ModelArguments {
    @Option(
            names = "--model",
            paramLabel = "DIR",
            required = true,
            description = "A directory in the Hugging Face layout; to rerank, also a .gguf file of Qwen3-Reranker.")
    private Path directory;

    @Option(
            names = "--on-long",
            paramLabel = "truncate|error",
            defaultValue = "truncate",
            converter = LowerCaseEnum.OfHeadPolicy.class,
            description = "What to do with a text that has more tokens than the model allows: truncate or error"
                    + " (default: ${DEFAULT-VALUE}).")
    private LengthPolicy lengthPolicy;

    /** The model's directory. */
    Path directory() {
        return directory;
    }

    @Override
    EncoderOptions options() {
        return super.options().withLengthPolicy(lengthPolicy);
    }
}
