package dev.fovea.bench.encode;

/** Turns batches of token ids, handed over beforehand, into vectors of length 1. */
interface TokenEncoder extends AutoCloseable {
    /** Components of a vector. */
    int DIMENSION = 384;

    /** Encodes a batch: the work that is timed. */
    void encode(int batch);

    /** The vectors of the batch encoded last, [sequences × {@link #DIMENSION}]. */
    float[] vectors();

    @Override
    void close();
}
