package dev.fovea.model;

import java.lang.foreign.MemorySegment;

/**
 * Encodes token ids, without allocation on the Java heap: the path of a service that counts microseconds.
 *
 * <p>Serves one thread at a time. Many sessions share one encoder's weights. Close a session before its encoder.
 */
public final class EncoderSession implements AutoCloseable {
    EncoderSession() {}

    /**
     * Encodes a batch of token sequences as they are: special tokens must be in them.
     *
     * <p>The segments may lie on or off the heap, at any alignment. Only the first batch that is larger than every
     * one before it allocates, and that off the heap.
     *
     * @param tokenIds I32 [tokens]
     * @param offsets I32 [sequences + 1]: where each sequence starts in {@code tokenIds}, and last their number;
     *     from 0, not decreasing
     * @param out F32 [≥ sequences, dimension]; an empty sequence gives a row of 0
     * @throws IllegalArgumentException if sizes do not fit, an id is outside the vocabulary, or a sequence is longer
     *     than {@link TextEncoder#maxTokens()}; {@code out} is not written
     * @throws IllegalStateException if this session or its encoder is closed
     */
    public void encode(MemorySegment tokenIds, MemorySegment offsets, MemorySegment out) {
        throw new UnsupportedOperationException();
    }

    /** Frees the workspace. Idempotent. */
    @Override
    public void close() {
        throw new UnsupportedOperationException();
    }
}
