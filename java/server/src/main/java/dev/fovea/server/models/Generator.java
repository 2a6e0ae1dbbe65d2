package dev.fovea.server.models;

import dev.fovea.model.TextGenerator;
import dev.fovea.server.http.Cancellation;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A language model, which writes several answers at once, and ends those that nobody wants any more. It computes in the
 * threads of its callers; these are platform threads, since a virtual one would keep others from running meanwhile.
 */
public final class Generator implements AutoCloseable {
    private final TextGenerator model;
    private final int concurrency;
    private final AtomicInteger callers = new AtomicInteger();
    private final ExecutorService threads =
            Executors.newCachedThreadPool(Thread.ofPlatform().daemon().name("fovea-answer-", 0).factory());

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
     * Writes an answer. When it is not wanted any more, the thread that writes it is interrupted, which ends it, wherever it
     * is. Returns when that has happened.
     *
     * @throws dev.fovea.server.http.CancelledException if it is not wanted before it begins
     */
    public <A> A write(Cancellation cancellation, Supplier<A> work) {
        Future<A> answer = threads.submit(() -> writeHere(cancellation, work));
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return answer.get();
                } catch (InterruptedException _) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    switch (e.getCause()) {
                        case RuntimeException cause -> throw cause;
                        case Error cause -> throw cause;
                        default -> throw new IllegalStateException(e.getCause());
                    }
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private <A> A writeHere(Cancellation cancellation, Supplier<A> work) {
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
            Thread.interrupted(); // what comes next must not end
        }
    }

    @Override
    public void close() {
        threads.shutdown();
        model.close();
    }
}
