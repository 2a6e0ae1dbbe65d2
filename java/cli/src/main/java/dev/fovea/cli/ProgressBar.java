package dev.fovea.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.function.BooleanSupplier;

/**
 * One line on standard error that shows the progress of a command. It appears after two seconds, and only on a
 * terminal. Its own thread draws it, so that it moves even while a block takes long.
 */
final class ProgressBar implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(2);
    private static final Duration REDRAW = Duration.ofMillis(250);
    private static final int CELLS = 24;
    private static final String ERASE = "\r\u001b[K";

    private final PrintWriter err;
    private final long start = System.nanoTime();
    /** In the unit of {@link #done}; 0 where nobody knows. */
    private final long total;

    /** What is counted beside the bar. */
    private final String unit;

    private final Thread painter;
    private long done;
    private long count;
    private boolean drawn;
    private boolean closed;

    /** A bar that is full at {@code total}; 0 if that is not known. */
    ProgressBar(PrintWriter err, long total) {
        this(err, total, "texts", PATIENCE, Terminal::isStandardError);
    }

    /** One of work on a file, whose megabytes it counts. */
    static ProgressBar ofBytes(PrintWriter err, long total, Duration patience) {
        return new ProgressBar(err, total, "MB", patience, Terminal::isStandardError);
    }

    ProgressBar(PrintWriter err, long total, String unit, Duration patience, BooleanSupplier isTerminal) {
        this.err = err;
        this.total = total;
        this.unit = unit;
        painter = Thread.ofPlatform().daemon().name("fovea-progress").start(() -> paint(patience, isTerminal));
    }

    /** Says that {@code done} of the total is done, which were {@code count} of the unit. */
    synchronized void update(long done, long count) {
        this.done = done;
        this.count = count;
    }

    /** Takes the bar off the screen, for output to follow, until it is drawn next. */
    synchronized void erase() {
        if (drawn) {
            err.print(ERASE);
            err.flush();
            drawn = false;
        }
    }

    @Override
    public synchronized void close() {
        erase();
        closed = true;
        painter.interrupt();
    }

    private void paint(Duration patience, BooleanSupplier isTerminal) {
        try {
            Thread.sleep(patience);
            if (isTerminal.getAsBoolean()) {
                while (draw()) {
                    Thread.sleep(REDRAW);
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean draw() {
        if (closed) {
            return false;
        }
        err.print(ERASE + line(done, total, count, unit, (System.nanoTime() - start) / 1e9));
        err.flush();
        drawn = true;
        return true;
    }

    /** The line: the bar if the total is known, what is counted, its rate, the time left. */
    static String line(long done, long total, long count, String unit, double seconds) {
        String rate = String.format(Locale.ROOT, "%,d %s  %.0f/s", count, unit, count / seconds);
        if (total <= 0) {
            return rate;
        }
        double fraction = Math.min(1, (double) done / total);
        int full = (int) (fraction * CELLS);
        String bar = String.format(Locale.ROOT, "[%s%s] %3d%%  %s",
                "#".repeat(full), ".".repeat(CELLS - full), (int) (100 * fraction), rate);
        if (done == 0) {
            return bar;
        }
        long left = (long) (seconds * (1 - fraction) / fraction);
        return bar + String.format(Locale.ROOT, "  %d:%02d left", left / 60, left % 60);
    }
}
