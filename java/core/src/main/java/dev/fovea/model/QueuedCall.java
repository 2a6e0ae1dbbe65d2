package dev.fovea.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;

/**
 * Inputs that were handed to a queue together, and what becomes of them.
 *
 * @param <R> of an input
 * @param <T> of all
 */
final class QueuedCall<R, T> extends CompletableFuture<T> {
    private final List<QueuedInput<R>> inputs;
    private final Object[] results;
    private final AtomicInteger missing;
    private final Function<List<R>, T> finish;

    /** A call of at least one input. */
    QueuedCall(List<? extends EncoderInput<R>> inputs, Function<List<R>, T> finish) {
        this.results = new Object[inputs.size()];
        this.missing = new AtomicInteger(inputs.size());
        this.finish = finish;
        List<QueuedInput<R>> queued = new ArrayList<>(inputs.size());
        for (EncoderInput<R> input : inputs) {
            queued.add(new QueuedInput<>(input, this, queued.size()));
        }
        this.inputs = queued;
    }

    List<QueuedInput<R>> inputs() {
        return inputs;
    }

    /** What became of an input. The last one completes the call. */
    @SuppressWarnings("unchecked")
    void done(int index, R result) {
        results[index] = result;
        if (missing.decrementAndGet() == 0) {
            complete(finish.apply((List<R>) Arrays.asList(results)));
        }
    }
}
