package dev.fovea.cli;

import dev.fovea.model.LengthPolicy;
import picocli.CommandLine.Option;

/** The option of the commands that take texts of any length. */
final class LengthArgument {
    @Option(
            names = "--on-long",
            paramLabel = "POLICY",
            defaultValue = "truncate",
            converter = LowerCaseEnum.OfLengthPolicy.class,
            description = "What to do with a text of more tokens than the model takes: truncate it, take it as an"
                    + " error, or chunk-mean, the mean over its pieces (default: ${DEFAULT-VALUE}).")
    private LengthPolicy lengthPolicy;

    /** What to do with a text of more tokens than the model takes. */
    LengthPolicy policy() {
        return lengthPolicy;
    }
}
