package dev.fovea.server.http;

import java.util.ArrayList;
import java.util.List;

/** Whether the work of a request is still wanted. Safe to share between threads. */
public final class Cancellation {
    /** Why work is not wanted any more. */
    public enum Reason {
        /** The client closed its connection, or does not read. */
        GONE,
        /** The request took too long. */
        DEADLINE,
        /** The server ends. */
        SHUTDOWN
    }

    private final List<Runnable> actions = new ArrayList<>(2);
    private volatile Reason reason;

    /** Why, or null while the work is wanted. */
    public Reason reason() {
        return reason;
    }

    /** Whether the work is not wanted any more. */
    public boolean isCancelled() {
        return reason != null;
    }

    /** Throws if the work is not wanted any more. */
    public void check() {
        if (reason != null) {
            throw new CancelledException(reason);
        }
    }

    /** Runs {@code action} when the work is cancelled, on the thread that cancels it; at once if it has been. Must not block. */
    public void onCancel(Runnable action) {
        synchronized (actions) {
            if (reason == null) {
                actions.add(action);
                return;
            }
        }
        action.run();
    }

    /** Cancels the work. Only the first reason counts. */
    public void cancel(Reason why) {
        List<Runnable> all;
        synchronized (actions) {
            if (reason != null) {
                return;
            }
            reason = why;
            all = List.copyOf(actions);
            actions.clear();
        }
        all.forEach(Runnable::run);
    }
}
