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
            description = "What to do with a text that has more tokens than the model allows: truncate, error, or"
                    + " chunk-mean, which averages its pieces (default: ${DEFAULT-VALUE}).")
    private LengthPolicy lengthPolicy;

    /** What to do with a text that has more tokens than the model allows. */
    LengthPolicy policy() {
        return lengthPolicy;
    }
}
