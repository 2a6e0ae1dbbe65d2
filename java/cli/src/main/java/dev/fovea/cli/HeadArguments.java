package dev.fovea.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** The options of the commands that run a model with a head. */
final class HeadArguments extends EngineArguments {
    @Option(
            names = "--model",
            paramLabel = "DIR",
            required = true,
            description = "A directory in the Hugging Face layout.")
    private Path directory;

    /** The model's directory. */
    Path directory() {
        return directory;
    }
}
