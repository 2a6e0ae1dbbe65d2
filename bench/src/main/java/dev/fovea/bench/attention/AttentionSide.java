package dev.fovea.bench.attention;

import dev.fovea.bench.encode.Artifact;

/** One way to compute an attention: made for one {@link AttentionWork} and its inputs, which it copies as it needs. */
interface AttentionSide extends AutoCloseable {
    /** Computes all heads. This is what is timed. */
    void attend();

    /** The result of the last call, [heads, tokens, head_dim]. */
    float[] result();

    /** Bytes that a call needs beyond inputs and output; −1 where the side does not say. */
    long scratchBytes();

    /** How it runs, for people. */
    String setting();

    /** The version of what computes, for people. */
    default String version() {
        return Artifact.fovea();
    }

    @Override
    default void close() {}
}
