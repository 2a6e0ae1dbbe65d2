package dev.fovea.server.models;

import dev.fovea.model.GeneratedText;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.http.Cancellation;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/** A language model, which writes several answers at once, and ends those that nobody wants any more. */
public final class Generator implements AutoCloseable {
    private final TextGenerator model;
    private final int concurrency;
    private final AtomicInteger callers = new AtomicInteger();

    Generator(TextGenerator model, int concurrency) {
        this.model = model;
        this.concurrency = concurrency;
    }

    /** The model. */
    public TextGenerator model() {
        return model;
    }

    /** How many callers wait for their answer to begin, about. */
    public int waiting() {
        return Math.max(0, callers.get() - concurrency);
    }

    /**
     * Writes an answer. When it is not wanted any more, the thread is interrupted, which ends it, wherever it is.
     *
     * @throws dev.fovea.server.http.CancelledException if it is not wanted before it begins
     */
    public GeneratedText write(Cancellation cancellation, Supplier<GeneratedText> work) {
        Thread writer = Thread.currentThread();
        Object turn = new Object();
        boolean[] over = {false};
        cancellation.onCancel(() -> {
            synchronized (turn) {
                if (!over[0]) {
                    writer.interrupt();
                }
            }
        });
        callers.incrementAndGet();
        try {
            cancellation.check();
            return work.get();
        } finally {
            callers.decrementAndGet();
            synchronized (turn) {
                over[0] = true;
            }
            Thread.interrupted(); // what comes behind must not end
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
