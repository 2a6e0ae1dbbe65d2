package dev.fovea.bench.attention;

import java.util.stream.IntStream;

/** Shares a call of a side that has no threads of its own. */
final class Parallel {
    private Parallel() {}

    /** A part of the work. */
    interface Slice {
        /** Does the items from {@code begin} to {@code end}, as the only one that is this worker. */
        void run(int worker, int begin, int end);
    }

    /** Shares items evenly, one slice per thread; on one thread it is a plain call. */
    static void run(int threads, int items, Slice slice) {
        if (threads == 1) {
            slice.run(0, 0, items);
            return;
        }
        IntStream.range(0, threads).parallel().forEach(worker -> slice.run(
                worker, (int) ((long) items * worker / threads), (int) ((long) items * (worker + 1) / threads)));
    }
}
