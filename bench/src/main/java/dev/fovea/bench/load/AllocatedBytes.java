package dev.fovea.bench.load;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/** What threads allocate on the Java heap. */
final class AllocatedBytes {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Bytes that the calling thread has allocated since it started. */
    long ofThisThread() {
        return threads.getCurrentThreadAllocatedBytes();
    }
}
