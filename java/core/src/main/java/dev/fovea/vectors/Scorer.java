package dev.fovea.vectors;

import java.lang.foreign.MemorySegment;

/** Scores vectors against a few queries, a block of vectors at a time. For one thread at a time. */
interface Scorer {
    /** The most queries at once: a panel of the linear kernel where its vectors are widest. */
    int QUERIES = 32;

    /** Vectors of a block; the last has what remains. */
    int blockRows();

    /**
     * Takes the queries that the next blocks are scored against.
     *
     * @param count 1 to {@link #QUERIES}
     * @param queries vectors of the type and dimension of the rows, at any alignment
     * @param at byte of the first
     */
    void take(int count, MemorySegment queries, long at);

    /**
     * Scores a block.
     *
     * @return F32 [rows of the block, queries taken], until the next call
     */
    MemorySegment score(int block);
}
