package dev.fovea.bench.natives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;

/** How fast threads read memory that no cache holds. */
public final class ReadBandwidth {
    private static final MethodHandle READ =
            StudyLibrary.function("fb_read", FunctionDescriptor.of(JAVA_LONG, ADDRESS, JAVA_LONG));
    private static final long BYTES = 768L << 20;
    private static final int PASSES = 4;

    private ReadBandwidth() {}

    /** GB/s of so many threads together, each in a part of its own: the best of a few passes. */
    public static double gigabytes(int threads) {
        try (Arena arena = Arena.ofShared()) {
            MemorySegment memory = arena.allocate(BYTES, 1 << 12);
            memory.fill((byte) 1);
            double[] seconds = new double[PASSES];
            CyclicBarrier barrier = new CyclicBarrier(threads);
            Thread[] workers = IntStream.range(1, threads)
                    .mapToObj(t -> Thread.ofPlatform().start(() -> read(memory, t, threads, barrier, new double[PASSES])))
                    .toArray(Thread[]::new);
            read(memory, 0, threads, barrier, seconds);
            for (Thread worker : workers) {
                worker.join();
            }
            double best = Double.MAX_VALUE;
            for (double second : seconds) {
                best = Math.min(best, second);
            }
            return BYTES * 1e-9 / best;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the bandwidth was measured", e);
        }
    }

    private static void read(MemorySegment memory, int thread, int threads, CyclicBarrier barrier, double[] seconds) {
        long share = BYTES / threads;
        MemorySegment part = memory.asSlice(thread * share, share);
        try {
            for (int pass = 0; pass < PASSES; pass++) {
                barrier.await();
                long started = System.nanoTime();
                long sum = (long) READ.invokeExact(part, share);
                barrier.await();
                seconds[pass] = (System.nanoTime() - started) * 1e-9;
                if (sum == 0) {
                    throw new IllegalStateException("the memory holds no ones");
                }
            }
        } catch (Throwable e) {
            throw new IllegalStateException("the bandwidth could not be measured", e);
        }
    }
}
