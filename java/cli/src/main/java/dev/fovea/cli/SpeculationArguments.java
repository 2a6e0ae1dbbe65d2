package dev.fovea.cli;

import dev.fovea.model.Speculation;
import java.nio.file.Path;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The options that say how a language model guesses ahead, by its own text or by a smaller model. */
final class SpeculationArguments {
    @Option(names = "--lookup", paramLabel = "N", description = "Guess up to N tokens at once (1 to " + Speculation.MOST
            + "): that the text goes on as it did where its last tokens stood before. The text is the same as without.")
    private Integer lookup;

    @ArgGroup(exclusive = false)
    private Draft draft;

    /** A smaller model that guesses. */
    static final class Draft {
        private static final int TOKENS = 4;

        @Option(names = "--draft", paramLabel = "DIR|FILE.gguf", required = true, description = "Guess tokens by this smaller"
                + " model of the same vocabulary. The text is the same as without.")
        private Path model;

        @Option(names = "--draft-tokens", paramLabel = "N", defaultValue = "" + TOKENS,
                description = "With --draft, guess up to N tokens at once (default: ${DEFAULT-VALUE}).")
        private int tokens;
    }

    /**
     * How tokens are guessed; null for not at all.
     *
     * @throws IllegalArgumentException if there are too many
     */
    Speculation speculation() {
        if (lookup != null) {
            return Speculation.promptLookup(lookup);
        }
        return draft == null ? null : Speculation.model(draft.model, draft.tokens);
    }
}
