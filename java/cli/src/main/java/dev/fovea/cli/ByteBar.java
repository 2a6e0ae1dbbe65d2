package dev.fovea.cli;

import java.io.PrintWriter;
import java.time.Duration;

/** A {@link ProgressBar} of bytes, whose total is known when the first are done. */
final class ByteBar implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(1);
    private static final long MEGABYTE = 1_000_000;

    private final PrintWriter err;
    private final long start = System.nanoTime();
    private ProgressBar bar;
    private long total;

    ByteBar(PrintWriter err) {
        this.err = err;
    }

    /** So many bytes are done; another total begins another bar. */
    void at(long done, long total) {
        if (bar == null || total != this.total) {
            close();
            Duration waited = Duration.ofNanos(System.nanoTime() - start);
            bar = ProgressBar.ofBytes(err, total, waited.compareTo(PATIENCE) < 0 ? PATIENCE.minus(waited) : Duration.ZERO);
            this.total = total;
        }
        bar.update(done, done / MEGABYTE);
    }

    @Override
    public void close() {
        if (bar != null) {
            bar.close();
        }
    }
}
