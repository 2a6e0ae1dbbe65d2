package dev.fovea.text;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A Hugging Face tokenizer: text to token ids. Safe to share between threads. */
public final class Tokenizer implements AutoCloseable {
    private Tokenizer() {}

    /** Loads a {@code tokenizer.json}. */
    public static Tokenizer load(Path tokenizerJson) throws IOException {
        throw new UnsupportedOperationException();
    }

    /** The ids of the text's tokens, without special tokens around them. */
    public int[] encode(String text) {
        throw new UnsupportedOperationException();
    }

    /** The text's tokens, without special tokens around them. */
    public List<String> tokens(String text) {
        throw new UnsupportedOperationException();
    }

    /** The special tokens before a single text. */
    public int[] prefix() {
        throw new UnsupportedOperationException();
    }

    /** The special tokens after a single text. */
    public int[] suffix() {
        throw new UnsupportedOperationException();
    }

    /** One more than the largest token id. */
    public int vocabularySize() {
        throw new UnsupportedOperationException();
    }

    @Override
    public void close() {}
}
