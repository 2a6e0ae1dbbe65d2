package dev.fovea.bench.study;

import java.util.concurrent.TimeUnit;

/** What a JVM does before anything is timed in it, so that its compilers do not take turns with what computes. */
public final class WarmUp {
    /** How long. By then what surrounds the arithmetic is compiled, on every side. */
    public static final int SECONDS = 2;

    private WarmUp() {}

    /** Makes a call again and again for {@code seconds}. */
    public static void run(int seconds, Runnable call) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        while (System.nanoTime() < end) {
            call.run();
        }
    }
}
