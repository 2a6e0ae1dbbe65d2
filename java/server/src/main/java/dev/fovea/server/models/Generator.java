package dev.fovea.server.models;

import dev.fovea.model.GeneratedText;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.http.Cancellation;
import dev.fovea.server.http.CancelledException;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** A language model, and how many answers it writes at a time. Those that come then wait, first come first served. */
public final class Generator implements AutoCloseable {
    private final TextGenerator model;
    private final Semaphore places;

    Generator(TextGenerator model, int parallel) {
        this.model = model;
        this.places = new Semaphore(parallel, true);
    }

    /** The model. */
    public TextGenerator model() {
        return model;
    }

    /** How many wait. */
    public int waiting() {
        return places.getQueueLength();
    }

    /**
     * Writes an answer when it is its turn.
     *
     * @throws CancelledException if it is not wanted any more before that
     */
    public GeneratedText write(Cancellation cancellation, Supplier<GeneratedText> work) {
        Thread waiter = Thread.currentThread();
        Object turn = new Object();
        boolean[] waits = {true};
        cancellation.onCancel(() -> {
            synchronized (turn) {
                if (waits[0]) {
                    waiter.interrupt();
                }
            }
        });
        try {
            places.acquire();
        } catch (InterruptedException _) {
            cancellation.check();
            throw new CancelledException(Cancellation.Reason.SHUTDOWN);
        } finally {
            synchronized (turn) {
                waits[0] = false;
            }
        }
        try {
            Thread.interrupted(); // it may have come with the place
            cancellation.check();
            return work.get();
        } finally {
            places.release();
        }
    }

    @Override
    public void close() {
        model.close();
    }
}
