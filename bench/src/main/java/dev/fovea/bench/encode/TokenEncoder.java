package dev.fovea.bench.encode;

/** Turns batches of token ids, handed over beforehand, into vectors of length 1. Serves one thread. */
public interface TokenEncoder {
    /** Encodes a batch: the work that is timed. */
    void encode(int batch);

    /** The vectors of the batch encoded last, [sequences × {@link MiniLm#DIMENSION}]. */
    float[] vectors();
}
