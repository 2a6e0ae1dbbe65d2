package dev.fovea.bench.run;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Says on standard error how far a run has come: on a terminal one line that a thread of its own draws again and again,
 * elsewhere a line per job.
 */
final class Progress implements AutoCloseable {
    private static final int CELLS = 24;
    private static final int REDRAW_MILLIS = 500;
    private static final String ERASE = "\r\u001b[K";

    /**
     * Where a run is.
     *
     * @param job its suite and name
     * @param number of the job, from 1
     * @param jobs how many there are
     * @param done seconds that the jobs before took
     * @param expected seconds of this job
     * @param rest seconds of the jobs after it
     */
    record Position(String job, int number, int jobs, double done, double expected, double rest) {
        /** {@code elapsed} seconds into the job. */
        String bar(double elapsed) {
            double left = left(elapsed);
            double fraction = (done + elapsed) / Math.max(1e-9, done + elapsed + left);
            int full = (int) (fraction * CELLS);
            return String.format(Locale.ROOT, "[%s%s] %3d%%  %d of %d  %s left  %s",
                    "#".repeat(full), ".".repeat(CELLS - full), (int) (100 * fraction), number, jobs,
                    TimeLeft.words(left), job);
        }

        String line() {
            return number + " of " + jobs + ", about " + TimeLeft.words(left(0)) + " left: " + job;
        }

        private double left(double elapsed) {
            return Math.max(1, expected - elapsed) + rest;
        }
    }

    private final PrintStream err;
    private final Thread painter;
    private Position position;
    private long since;
    private boolean drawn;
    private boolean closed;

    Progress(PrintStream err, boolean terminal) {
        this.err = err;
        painter = terminal ? Thread.ofPlatform().daemon().name("fovea-progress").start(this::paint) : null;
    }

    /** A job begins. */
    synchronized void begin(Position job) {
        position = job;
        since = System.nanoTime();
        if (painter == null) {
            err.println("fovea: " + job.line());
        }
    }

    /** A line for people, which stays. */
    synchronized void say(String line) {
        erase();
        err.println("fovea: " + line);
    }

    @Override
    public synchronized void close() {
        closed = true;
        erase();
        if (painter != null) {
            painter.interrupt();
        }
    }

    private void erase() {
        if (drawn) {
            err.print(ERASE);
            err.flush();
            drawn = false;
        }
    }

    private void paint() {
        try {
            while (draw()) {
                Thread.sleep(REDRAW_MILLIS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized boolean draw() {
        if (position != null && !closed) {
            String line = position.bar((System.nanoTime() - since) / 1e9);
            // A line that wraps could not be erased.
            err.print(ERASE + line.substring(0, Math.min(line.length(), 79)));
            err.flush();
            drawn = true;
        }
        return !closed;
    }
}
