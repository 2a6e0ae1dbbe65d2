package dev.fovea.bench.attention;

/** Attention of one head at a time on heap arrays, with scratch of its own: serves one thread. */
interface HeadAttention {
    /** Computes the head whose [tokens, head_dim] begin at {@code at}. */
    void attend(AttentionInputs inputs, float[] out, int at);

    /** Bytes that it holds. */
    long scratchBytes();
}
