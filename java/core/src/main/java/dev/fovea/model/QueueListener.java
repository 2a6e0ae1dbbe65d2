package dev.fovea.model;

/**
 * Hears of what an {@link EncoderQueue} does, for metrics. Called by threads of the queue and by callers, several at once;
 * callers wait for it meanwhile. What it throws is logged and changes nothing.
 */
@FunctionalInterface
public interface QueueListener {
    /**
     * A batch that has run.
     *
     * @param waitNanos how long each of its inputs waited before it, in nanoseconds
     * @param tokens of all inputs
     * @param runNanos how long the batch ran
     */
    record Batch(long[] waitNanos, int tokens, long runNanos) {
        /** How many inputs it had. */
        public int inputs() {
            return waitNanos.length;
        }
    }

    /** A batch has run. Its callers go on after this. */
    void ran(Batch batch);

    /**
     * Inputs found no room.
     *
     * @param tokens of all of them
     */
    default void refused(int inputs, long tokens) {}

    /** Inputs left before they ran: their caller cancelled, was interrupted, or waited for too long. */
    default void withdrawn(int inputs) {}
}
