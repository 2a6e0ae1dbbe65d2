package dev.fovea.model.sentence;

/**
 * A sequence that the model reads: a text, or a part of one.
 *
 * @param ids token ids, special tokens included
 * @param part which part of its text this is
 * @param parts how many parts the text has
 * @param truncated whether tokens of the text were dropped
 * @param promptTokens how many of the first ids are a prompt's, special tokens before it included
 */
public record Piece(int[] ids, int part, int parts, boolean truncated, int promptTokens) {
    /** Whether it is all that its text has. */
    public boolean isWhole() {
        return parts == 1;
    }

    /** Whether no other part of its text follows. */
    public boolean isLast() {
        return part == parts - 1;
    }
}
