package dev.fovea.model;

/**
 * A text or a pair of texts as a model reads it: what an {@link EncoderQueue} takes. The thread that makes it has done the
 * tokenizer's work. Immutable; serves any number of calls.
 *
 * <p>It comes from the model that it is for, such as by {@link TextEncoder#input(String)} or {@link Reranker#input}.
 *
 * @param <R> what the model makes of it
 */
public abstract sealed class EncoderInput<R> permits TextInput, HeadInput {
    private final BatchModel<R> model;
    private final int tokens;
    private final boolean truncated;

    EncoderInput(BatchModel<R> model, int tokens, boolean truncated) {
        this.model = model;
        this.tokens = tokens;
        this.truncated = truncated;
    }

    /** Tokens that the model reads, special tokens included. */
    public int tokens() {
        return tokens;
    }

    /** Whether tokens of the text were dropped. */
    public boolean truncated() {
        return truncated;
    }

    /** Whose input it is. */
    BatchModel<R> model() {
        return model;
    }
}
