package dev.fovea.cli;

import dev.fovea.model.TextEmbedding;
import java.io.Closeable;
import java.io.IOException;

/** Where embeddings go, in the order of their texts. */
sealed interface EmbeddingSink extends Closeable permits JsonLinesSink, NpySink {
    /**
     * Writes the next text's.
     *
     * @param bytes what its vector became; null for binary32
     */
    void write(String text, TextEmbedding embedding, byte[] bytes) throws IOException;

    /** Hands on what was written so far. */
    void flush() throws IOException;

    /** Completes the output. Without it a file does not appear. */
    void commit() throws IOException;
}
