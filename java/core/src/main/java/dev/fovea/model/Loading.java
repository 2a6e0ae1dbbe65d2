package dev.fovea.model;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.FutureTask;

/**
 * A part of a model that is being loaded on a thread of its own, beside the others. Closing waits for the thread, and
 * closes what it loaded, if that can be closed.
 *
 * @param <T> the part
 */
final class Loading<T> implements AutoCloseable {
    private final FutureTask<T> task;

    /** Starts to load; {@code what} names the thread. */
    Loading(String what, Callable<T> loader) {
        task = new FutureTask<>(loader);
        try {
            Thread.ofPlatform().name("fovea-" + what).daemon().start(task);
        } catch (OutOfMemoryError e) {
            // No further thread may start: then one after the other.
            task.run();
        }
    }

    /** The part, once it is loaded, or what its loading threw: no checked exception but {@link IOException}. */
    T get() throws IOException {
        await();
        if (task.state() == State.SUCCESS) {
            return task.resultNow();
        }
        switch (task.exceptionNow()) {
            case IOException e -> throw e;
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            case Throwable e -> throw new AssertionError("a checked exception that no loading declares", e);
        }
    }

    @Override
    public void close() throws Exception {
        await();
        if (task.state() == State.SUCCESS && task.resultNow() instanceof AutoCloseable part) {
            part.close();
        }
    }

    /** Waits for the end, also when interrupted: a model half loaded is of no use, and frees nothing. */
    private void await() {
        boolean interrupted = false;
        while (!task.isDone()) {
            try {
                task.get();
            } catch (InterruptedException e) {
                interrupted = true;
            } catch (ExecutionException e) {
                break;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
