package dev.fovea.model;

import java.nio.file.Path;
import java.util.Objects;

/**
 * How a language model guesses what it will write, to check several tokens in one pass over its weights. The text is the same
 * as without. Leviathan et al., arXiv:2211.17192.
 *
 * @param tokens how many are guessed at most, 1 to {@value #MOST}; fewer where guesses are wrong
 * @param model a smaller model of the same vocabulary that guesses; null where the text so far does: it may go on as it did
 *     where its last tokens stood before
 */
public record Speculation(int tokens, Path model) {
    /** The most tokens that are guessed at once. */
    public static final int MOST = 64;

    /**
     * Checks the number.
     *
     * @throws IllegalArgumentException if it is out of its range
     */
    public Speculation {
        if (tokens < 1 || tokens > MOST) {
            throw new IllegalArgumentException("expected a speculation of 1 to " + MOST + " tokens, got " + tokens);
        }
    }

    /** Looks in the text so far; for answers that repeat much of their prompts, such as summaries and code. */
    public static Speculation promptLookup(int tokens) {
        return new Speculation(tokens, null);
    }

    /** Asks a smaller model, which is loaded with the large one. */
    public static Speculation model(Path model, int tokens) {
        return new Speculation(tokens, Objects.requireNonNull(model, "model"));
    }

    /** Such as {@code up to 4 tokens by Qwen3-0.6B}. */
    @Override
    public String toString() {
        return "up to " + tokens + " tokens by " + (model == null ? "the prompt" : model);
    }
}
