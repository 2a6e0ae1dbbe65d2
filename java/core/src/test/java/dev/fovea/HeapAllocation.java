package dev.fovea;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What a call that promises to allocate nothing on the Java heap is held to. */
public final class HeapAllocation {
    private HeapAllocation() {}

    /** Fails unless {@code calls} of it in a row allocate nothing in this thread, after {@code warmUp} others. */
    public static void requireNone(int warmUp, int calls, Runnable call) {
        for (int i = 0; i < warmUp; i++) {
            call.run();
        }
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        threads.getCurrentThreadAllocatedBytes();
        long least = Long.MAX_VALUE;
        // The compiler may still allocate when it replaces code; a call that allocates does it each time.
        for (int round = 0; round < 3 && least > 0; round++) {
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int i = 0; i < calls; i++) {
                call.run();
            }
            least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
        }
        assertEquals(0, least, calls + " calls");
    }
}
