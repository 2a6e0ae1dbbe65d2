package dev.fovea.model;

import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future.State;
import java.util.concurrent.FutureTask;

/**
 * A tokenizer that is being loaded on a thread of its own: most of that is native work, during which the rest of a
 * model loads. Closing waits for the thread, and closes what it loaded.
 */
final class TokenizerLoading implements AutoCloseable {
    private final FutureTask<Tokenizer> task;

    TokenizerLoading(Path file) {
        task = new FutureTask<>(() -> Tokenizer.load(file));
        Thread.ofPlatform().name("fovea-tokenizer").daemon().start(task);
    }

    /** The tokenizer, once it is loaded, or what its loading threw. */
    Tokenizer get() throws IOException {
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
    public void close() {
        await();
        if (task.state() == State.SUCCESS) {
            task.resultNow().close();
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
