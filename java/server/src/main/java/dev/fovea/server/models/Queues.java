package dev.fovea.server.models;

import dev.fovea.model.EncoderInput;
import dev.fovea.model.EncoderQueue;
import dev.fovea.server.http.Cancellation;
import dev.fovea.server.http.CancelledException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** Waits for what a queue gives, as long as somebody wants it. */
public final class Queues {
    private Queues() {}

    /**
     * What becomes of each input, in order; inputs that are not wanted any more are withdrawn.
     *
     * @throws CancelledException if they are not
     * @throws java.util.concurrent.RejectedExecutionException if there is no room for them
     */
    public static <R> List<R> run(EncoderQueue<R> queue, List<EncoderInput<R>> inputs, Cancellation cancellation) {
        cancellation.check();
        CompletableFuture<List<R>> results = queue.submitAll(inputs);
        cancellation.onCancel(() -> results.cancel(false));
        try {
            return results.get();
        } catch (CancellationException | InterruptedException e) {
            results.cancel(false);
            cancellation.check();
            throw new CancelledException(Cancellation.Reason.SHUTDOWN);
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e.getCause());
            }
        }
    }
}
