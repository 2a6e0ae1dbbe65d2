package dev.fovea.model;

import java.time.Duration;
import java.util.Objects;

/**
 * How an {@link EncoderQueue} gathers inputs. Immutable; each {@code with…} gives a copy.
 *
 * @param batchTokens tokens of a batch at most; an input of more runs alone. 0 for what suits the backend: 128 on a CPU,
 *     {@value #MAX_BATCH_TOKENS} on a GPU
 * @param linger how long an input waits for others where nothing else runs; zero takes what is there
 * @param queuedTokens tokens that wait at most; what comes then is refused. An input without tokens counts as one
 * @param workers threads that run batches; 0 for as many as there are processors, or 1 for a GPU. Batches that run at the
 *     same time share the engine's threads
 * @param listener hears of batches and refusals
 */
public record QueueOptions(int batchTokens, Duration linger, long queuedTokens, int workers, QueueListener listener) {
    /** The most tokens of a batch, which those of {@link TextEncoder#encodeAll} have. */
    public static final int MAX_BATCH_TOKENS = TextBatch.MAX_TOKENS;

    private static final Duration MAX_LINGER = Duration.ofMinutes(1);
    private static final int MAX_WORKERS = 1024;

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException naming the value
     */
    public QueueOptions {
        Objects.requireNonNull(linger, "linger");
        Objects.requireNonNull(listener, "listener");
        if (batchTokens < 0 || batchTokens > MAX_BATCH_TOKENS) {
            throw new IllegalArgumentException("expected 0 to " + MAX_BATCH_TOKENS + " tokens of a batch, got " + batchTokens);
        }
        if (linger.isNegative() || linger.compareTo(MAX_LINGER) > 0) {
            throw new IllegalArgumentException("expected to linger for 0 to " + MAX_LINGER.toSeconds() + " s, got " + linger);
        }
        if (queuedTokens < 1) {
            throw new IllegalArgumentException("expected at least 1 token that may wait, got " + queuedTokens);
        }
        if (workers < 0 || workers > MAX_WORKERS) {
            throw new IllegalArgumentException("expected 0 to " + MAX_WORKERS + " workers, got " + workers);
        }
    }

    /**
     * Batches of as many tokens as suit the backend, no lingering, 262,144 tokens that wait, as many workers as fill the
     * processors, and no listener.
     */
    public static QueueOptions defaults() {
        return new QueueOptions(0, Duration.ZERO, 1 << 18, 0, _ -> { });
    }

    /** A copy with other batches. Smaller ones answer sooner; from a hundred tokens on they are hardly slower on a CPU. */
    public QueueOptions withBatchTokens(int batchTokens) {
        return new QueueOptions(batchTokens, linger, queuedTokens, workers, listener);
    }

    /** A copy in which an input waits so long for others, though nothing else runs. */
    public QueueOptions withLinger(Duration linger) {
        return new QueueOptions(batchTokens, linger, queuedTokens, workers, listener);
    }

    /** A copy with another bound. */
    public QueueOptions withQueuedTokens(long queuedTokens) {
        return new QueueOptions(batchTokens, linger, queuedTokens, workers, listener);
    }

    /** A copy with another number of threads. */
    public QueueOptions withWorkers(int workers) {
        return new QueueOptions(batchTokens, linger, queuedTokens, workers, listener);
    }

    /** A copy with another listener. */
    public QueueOptions withListener(QueueListener listener) {
        return new QueueOptions(batchTokens, linger, queuedTokens, workers, listener);
    }
}
