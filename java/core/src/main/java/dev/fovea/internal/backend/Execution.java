package dev.fovea.internal.backend;

import dev.fovea.tensor.Tensor;
import java.util.List;

/** A {@link Program} bound to memory of its own, which runs batch after batch. For one thread at a time. */
public interface Execution extends AutoCloseable {
    /**
     * Runs all steps on a batch that has been checked. Returns when the device has finished and the outputs are there,
     * so that what the caller keeps alive meanwhile, program, caches and engine, is alive as long as the device uses
     * it. Allocates nothing on the heap.
     *
     * @throws IllegalStateException if the engine is closed
     */
    void run(Batch batch);

    /** An output of the plan, in memory of the host: [capacity, columns], dense. */
    Tensor output(int index);

    /** Bytes of memory that it took, of the device and of the host, without the caches'. */
    long bytes();

    /** What each attention attended to in the last run, in memory of the host; empty unless explaining. */
    List<Tensor> patterns();

    /** Frees the memory. */
    @Override
    void close();
}
