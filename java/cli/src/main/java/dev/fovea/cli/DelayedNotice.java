package dev.fovea.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Prints a notice about work that takes noticeably long. */
final class DelayedNotice implements AutoCloseable {
    private static final Duration NOTICEABLE = Duration.ofMillis(300);

    private final CountDownLatch over = new CountDownLatch(1);

    /** Writes {@code notice} as a line, unless closed earlier. */
    DelayedNotice(PrintWriter err, String notice) {
        try {
            Thread.ofPlatform().daemon().name("fovea-notice").start(() -> print(err, notice));
        } catch (OutOfMemoryError e) {
            // No further thread may start: then without the notice.
        }
    }

    private void print(PrintWriter err, String notice) {
        try {
            if (!over.await(NOTICEABLE.toMillis(), TimeUnit.MILLISECONDS)) {
                err.println(notice);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        over.countDown();
    }
}
