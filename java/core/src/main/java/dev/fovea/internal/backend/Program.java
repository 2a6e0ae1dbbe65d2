package dev.fovea.internal.backend;

import java.util.List;

/** A plan compiled for a device, with its weights there. Immutable; shared by many executions. */
public interface Program extends AutoCloseable {
    /**
     * The program bound to memory of its own. All that does not depend on a batch is checked here: shapes, types,
     * strides and overlaps.
     *
     * @param caches one for each group of the plan
     * @param explaining whether it keeps patterns of attention
     * @throws IllegalArgumentException if the memory exceeds the address space
     * @throws IllegalStateException if the engine is closed
     */
    Execution newExecution(int maxTokens, int maxSequences, List<CacheStore> caches, boolean explaining);

    /** Whether its executions run batches whose spans are not their sequences. */
    default boolean takesSpans() {
        return false;
    }

    /** Bytes of the weights of linear layers as the device keeps them. */
    long weightBytes();

    /** Bytes of all that it keeps: those, and copies of other constants, such as tables of embeddings. */
    long bytes();

    /** Frees the weights. Executions are closed before. */
    @Override
    void close();
}
