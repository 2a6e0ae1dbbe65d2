package dev.fovea.text;

import dev.fovea.internal.text.TokenBytes;
import dev.fovea.internal.text.TokenText;

/**
 * Tokens of one text to text, as they come: what a model writes, token by token. A character whose last byte has not come
 * yet is held back, so that what is given is always whole. What all calls give together is what {@link Tokenizer#decode}
 * gives of all tokens.
 *
 * <p>Once warm, {@link #add(int, StringBuilder)} allocates nothing on the Java heap. A decoder is for one thread at a
 * time; it stays usable when the tokenizer is closed.
 */
public final class TokenDecoder {
    private final TokenText text;
    private final TokenBytes bytes;
    private final int vocabularySize;
    private final StringBuilder given = new StringBuilder();

    TokenDecoder(TokenText text, TokenBytes bytes, int vocabularySize) {
        this.text = text;
        this.bytes = bytes;
        this.vocabularySize = vocabularySize;
    }

    /**
     * Takes the next token, and gives the text that is certain now; empty if there is none.
     *
     * @throws IllegalArgumentException if the id is not one of the vocabulary
     */
    public String add(int id) {
        given.setLength(0);
        add(id, given);
        return given.isEmpty() ? "" : given.toString();
    }

    /** As {@link #add(int)}, but adds the text to that of the caller. */
    public void add(int id, StringBuilder to) {
        if (id < 0 || id >= vocabularySize) {
            throw new IllegalArgumentException("expected an id from 0 to " + (vocabularySize - 1) + ", got " + id);
        }
        text.add(id, to);
    }

    /** What was held back: a character without its last bytes becomes U+FFFD. The next token begins a new text. */
    public String end() {
        given.setLength(0);
        end(given);
        return given.toString();
    }

    /** As {@link #end()}, but adds the text to that of the caller. */
    public void end(StringBuilder to) {
        text.end(to);
    }

    /**
     * The bytes of UTF-8 that a token adds to a text; none of a special token, or where there is none of this id. A
     * character of several bytes may be cut between tokens.
     *
     * @throws UnsupportedOperationException if that depends on the tokens beside it, as with WordPiece; see {@link #tellsBytes}
     */
    public byte[] bytes(int id) {
        if (!bytes.isKnown()) {
            throw new UnsupportedOperationException("what a token of this tokenizer stands for depends on the tokens beside it");
        }
        return bytes.of(id);
    }

    /** Whether what a token adds to a text does not depend on the tokens beside it, so that {@link #bytes(int)} tells. */
    public boolean tellsBytes() {
        return bytes.isKnown();
    }

    /** Whether a text loses the space with which its first token begins; see {@link #bytes(int)}. */
    public boolean dropsFirstSpace() {
        return bytes.dropsFirstSpace();
    }
}
