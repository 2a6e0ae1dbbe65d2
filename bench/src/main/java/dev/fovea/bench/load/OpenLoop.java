package dev.fovea.bench.load;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/**
 * Requests that arrive when they do, whether or not those before them are done: a line that several callers serve,
 * first come, first served. A latency counts from the arrival, not from the moment when a caller is free: a service
 * that stalls is charged for all who wait meanwhile, whom a loop of call after call would not even have sent.
 */
final class OpenLoop {
    /** A caller that sleeps wakes some 50 µs late, which is no fault of the service: the last of the wait is spun. */
    private static final long SPIN_NANOS = 150_000;

    private static final long LONGEST_NANOS = 3_600_000_000_000L;

    /** What serves a request, for one caller. */
    @FunctionalInterface
    interface Service {
        /** Serves the request of this number. */
        void serve(int request);
    }

    /**
     * What was seen.
     *
     * @param latencies nanoseconds from each arrival to the end of its service
     * @param seconds from the first arrival to the end of the last service
     * @param allocated bytes of the Java heap that the callers allocated meanwhile
     */
    record Outcome(Histogram latencies, double seconds, long allocated) {}

    private final long[] arrivals;
    private final AtomicInteger next = new AtomicInteger();
    private final AllocatedBytes allocation = new AllocatedBytes();
    private volatile long start;

    private OpenLoop(long[] arrivals) {
        this.arrivals = arrivals;
    }

    /**
     * Serves all arrivals.
     *
     * @param arrivals nanoseconds from the start, ascending
     * @param callers a service for each of the callers
     */
    static Outcome run(long[] arrivals, List<Service> callers) throws InterruptedException, ExecutionException {
        return new OpenLoop(arrivals).run(callers);
    }

    private Outcome run(List<Service> callers) throws InterruptedException, ExecutionException {
        CountDownLatch ready = new CountDownLatch(callers.size());
        CountDownLatch go = new CountDownLatch(1);
        Histogram all = histogram();
        long allocated = 0;
        try (ExecutorService threads = Executors.newFixedThreadPool(callers.size())) {
            List<Future<Share>> shares = new ArrayList<>();
            for (Service caller : callers) {
                shares.add(threads.submit(() -> {
                    Histogram latencies = histogram();
                    ready.countDown();
                    go.await();
                    return serve(caller, latencies);
                }));
            }
            ready.await();
            start = System.nanoTime();
            go.countDown();
            for (Future<Share> share : shares) {
                all.add(share.get().latencies());
                allocated += share.get().allocated();
            }
        }
        return new Outcome(all, (System.nanoTime() - start) * 1e-9, allocated);
    }

    /** What one caller has done. */
    private record Share(Histogram latencies, long allocated) {}

    private Share serve(Service service, Histogram latencies) {
        long before = allocation.ofThisThread();
        for (int i = next.getAndIncrement(); i < arrivals.length; i = next.getAndIncrement()) {
            long arrival = start + arrivals[i];
            awaitNanoTime(arrival);
            service.serve(i);
            latencies.recordValue(Math.min(System.nanoTime() - arrival, LONGEST_NANOS));
        }
        return new Share(latencies, allocation.ofThisThread() - before);
    }

    private static void awaitNanoTime(long time) {
        for (long left = time - System.nanoTime(); left > 0; left = time - System.nanoTime()) {
            if (left > SPIN_NANOS) {
                LockSupport.parkNanos(left - SPIN_NANOS);
            } else {
                Thread.onSpinWait();
            }
        }
    }

    private static Histogram histogram() {
        // All its memory at once: it must not allocate while it counts what others do.
        return new Histogram(1, LONGEST_NANOS, 3);
    }
}
