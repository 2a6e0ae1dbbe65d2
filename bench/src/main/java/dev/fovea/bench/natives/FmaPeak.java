package dev.fovea.bench.natives;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.IntStream;

/** The most multiply-adds per second that the cores do with values in registers, measured when asked for. */
public final class FmaPeak {
    private static final MethodHandle GFLOPS =
            StudyLibrary.function("fb_fma_gflops", FunctionDescriptor.of(JAVA_DOUBLE, ADDRESS, JAVA_DOUBLE));
    private static final double WINDOW_SECONDS = 0.004;
    private static final int WINDOWS = 8;

    /** By number of threads: other processes only ever take from it, so the best that was seen counts. */
    private static final Map<Integer, Double> BEST = new ConcurrentHashMap<>();

    private FmaPeak() {}

    /** The instructions that the peak is of, and the best ones that this CPU has, in a line for people. */
    public static String description() {
        return "multiply-adds on registers with " + Isas.USED + ", which Fovea uses; the best here is "
                + Isas.AVAILABLE.getLast();
    }

    /** GFLOP/s of so many threads together with the instructions that Fovea uses here, the best measured so far. */
    public static double gflops(int threads) {
        Double best = BEST.get(threads);
        return best == null ? measure(threads) : best;
    }

    /** Measures again, for some 30 ms. */
    public static double measure(int threads) {
        double gflops = measure(Isas.USED, threads);
        if (gflops == 0) {
            throw new IllegalStateException("no FMA peak of kernel table " + Isas.USED + " is built in");
        }
        return BEST.merge(threads, gflops, Math::max);
    }

    /** GFLOP/s of so many threads together with these instructions; 0 where they are not built in. */
    static double measure(String isa, int threads) {
        double[] gflops = new double[threads * WINDOWS];
        CyclicBarrier barrier = new CyclicBarrier(threads);
        List<Thread> workers = IntStream.range(1, threads)
                .mapToObj(t -> Thread.ofPlatform().daemon().start(() -> windows(isa, barrier, gflops, t * WINDOWS)))
                .toList();
        windows(isa, barrier, gflops, 0);
        try {
            for (Thread worker : workers) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the FMA peak was measured", e);
        }
        return IntStream.range(0, WINDOWS)
                .mapToDouble(w -> IntStream.range(0, threads).mapToDouble(t -> gflops[t * WINDOWS + w]).sum())
                .max()
                .orElseThrow();
    }

    private static void windows(String isa, CyclicBarrier barrier, double[] gflops, int first) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocateFrom(isa);
            for (int w = 0; w < WINDOWS; w++) {
                barrier.await();
                gflops[first + w] = (double) GFLOPS.invokeExact(name, WINDOW_SECONDS);
            }
        } catch (Throwable e) {
            throw new IllegalStateException("the FMA peak could not be measured", e);
        }
    }

    private static final class Isas {
        static final String USED;
        static final List<String> AVAILABLE;

        static {
            try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1))) {
                USED = engine.isa();
                AVAILABLE = engine.availableIsas();
            }
        }
    }
}
