package dev.fovea.ops;

/** What a row of a matrix stands for that belongs to a batch of sequences. */
public enum Rows {
    /** One row per token of the batch, sequence after sequence. */
    TOKENS,
    /** One row per sequence. */
    SEQUENCES;

    /** The number of rows in a batch of these sizes. */
    public int count(int tokens, int sequences) {
        return this == TOKENS ? tokens : sequences;
    }
}
