package dev.fovea.model;

import dev.fovea.Backend;
import dev.fovea.Engine;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Gathers what many threads ask of a model at the same time into batches, as ragged as they come: more texts per second
 * than each thread by itself. Safe to share between threads.
 *
 * <pre>{@code
 * try (var queue = EncoderQueue.of(encoder, QueueOptions.defaults())) {
 *     TextEmbedding one = queue.run(encoder.input("How do I reset my password?"));   // on any number of threads
 *     CompletableFuture<TextEmbedding> later = queue.submit(encoder.input("…", "query"));
 * }
 * }</pre>
 *
 * <p>A batch takes inputs in the order in which they came. Each gets the same bits as alone; and where a batch fails, each
 * is run again by itself, so that an error reaches the caller whose input it is of. Callers do not compute: they park, so
 * virtual threads serve, and do not pin. One lock is held for a moment, when inputs are handed over, taken or withdrawn.
 * A queue that nobody has used has no threads.
 *
 * <p>Forgetting to close costs the model's memory; it does not keep the JVM alive.
 *
 * @param <R> what becomes of an input
 */
public final class EncoderQueue<R> implements AutoCloseable {
    /** A core hardly gets faster behind the first 64 tokens of a batch, and whoever comes next waits for all of it. */
    private static final int BATCH_TOKENS = 128;

    private final BatchModel<R> model;
    private final QueueOptions options;
    private final ReentrantLock lock = new ReentrantLock();

    // Guarded by the lock.
    private final Condition arrived = lock.newCondition();
    private final WaitingInputs<R> waiting = new WaitingInputs<>();
    private int workers;
    private boolean closed;

    private EncoderQueue(BatchModel<R> model, QueueOptions options) {
        this.model = model;
        this.options = options.batchTokens() > 0 ? options : options.withBatchTokens(batchTokens(model.engine()));
    }

    /** Starts its threads, if the first input has come just now. */
    private void start() {
        int wanted = options.workers() > 0 ? options.workers() : workers(model.engine());
        while (workers < wanted) {
            Thread.ofPlatform().daemon().name("fovea-queue-" + model.name() + "-" + workers).start(this::work);
            workers++;
        }
    }

    /** One for each processor: where some run at a time, the engine gives each a thread; who runs alone has them all. */
    private static int workers(Engine engine) {
        return engine.backend() == Backend.CUDA ? 1 : Runtime.getRuntime().availableProcessors();
    }

    private static int batchTokens(Engine engine) {
        return engine.backend() == Backend.CUDA ? QueueOptions.MAX_BATCH_TOKENS : BATCH_TOKENS;
    }

    /** A queue of texts whose vectors are asked for. It is closed before the encoder. */
    public static EncoderQueue<TextEmbedding> of(TextEncoder encoder, QueueOptions options) {
        return new EncoderQueue<>(encoder.batches(), options);
    }

    /** A queue of pairs of query and document; see {@link Reranker#score}. It is closed before the reranker. */
    public static EncoderQueue<Float> of(Reranker reranker, QueueOptions options) {
        return new EncoderQueue<>(reranker.batches(), options);
    }

    /** A queue of texts to label; see {@link TextClassifier#classify}. It is closed before the classifier. */
    public static EncoderQueue<List<TextClassifier.Label>> of(TextClassifier classifier, QueueOptions options) {
        return new EncoderQueue<>(classifier.batches(), options);
    }

    /** A queue of texts whose terms are asked for; see {@link SparseEncoder#encode}. It is closed before the encoder. */
    public static EncoderQueue<SparseEncoder.SparseVector> of(SparseEncoder encoder, QueueOptions options) {
        return new EncoderQueue<>(encoder.batches(), options);
    }

    /**
     * What becomes of an input, as soon as a batch has run it.
     *
     * @throws RejectedExecutionException if too many tokens wait; the message names the bound
     * @throws IllegalArgumentException if the input is another model's
     * @throws IllegalStateException if the queue or the model is closed, before this or meanwhile
     * @throws ArithmeticException if the result is not finite
     * @throws InterruptedException if the caller is interrupted; the input is withdrawn
     */
    public R run(EncoderInput<R> input) throws InterruptedException {
        return await(submit(input));
    }

    /**
     * As {@link #run(EncoderInput)}, for a limited time.
     *
     * @throws TimeoutException if there is no result by then; the input is withdrawn
     */
    public R run(EncoderInput<R> input, Duration timeout) throws InterruptedException, TimeoutException {
        return await(submit(input), timeout);
    }

    /**
     * What becomes of each input, in order, for any number of them: all wait, or all are refused. They may run in several
     * batches. See {@link #run(EncoderInput)}.
     */
    public List<R> runAll(List<? extends EncoderInput<R>> inputs) throws InterruptedException {
        return await(submitAll(inputs));
    }

    /** As {@link #runAll(List)}, for a limited time; see {@link #run(EncoderInput, Duration)}. */
    public List<R> runAll(List<? extends EncoderInput<R>> inputs, Duration timeout)
            throws InterruptedException, TimeoutException {
        return await(submitAll(inputs), timeout);
    }

    /**
     * Hands over an input. Completing the future by other means, such as {@code cancel} or {@code orTimeout}, withdraws it.
     * What is chained to it runs on a thread of the queue and must not block; chain it with an {@code …Async} method if it
     * may.
     *
     * @throws RejectedExecutionException as {@link #run(EncoderInput)} does, and likewise if the input is another model's
     *     or the queue is closed; all else the future tells
     */
    public CompletableFuture<R> submit(EncoderInput<R> input) {
        return submit(List.of(input), List::getFirst);
    }

    /** Hands over inputs together; see {@link #runAll(List)} and {@link #submit(EncoderInput)}. */
    public CompletableFuture<List<R>> submitAll(List<? extends EncoderInput<R>> inputs) {
        return submit(List.copyOf(inputs), Function.identity());
    }

    private <T> CompletableFuture<T> submit(List<? extends EncoderInput<R>> inputs, Function<List<R>, T> finish) {
        for (EncoderInput<R> input : inputs) {
            if (input.model() != model) {
                throw new IllegalArgumentException("expected an input of the model of this queue, " + model.name()
                        + ", got one of " + input.model().name());
            }
        }
        if (inputs.isEmpty()) {
            return CompletableFuture.completedFuture(finish.apply(List.of()));
        }
        var call = new QueuedCall<R, T>(inputs, finish);
        add(call.inputs());
        call.whenComplete((_, failure) -> {
            if (failure != null) {
                withdraw(call.inputs());
            }
        });
        return call;
    }

    private void add(List<QueuedInput<R>> inputs) {
        long tokens = 0;
        for (QueuedInput<R> input : inputs) {
            tokens += input.tokens();
        }
        long before;
        lock.lock();
        try {
            requireOpen();
            before = waiting.tokens();
            if (before + tokens <= options.queuedTokens()) {
                start();
                append(inputs);
                return;
            }
        } finally {
            lock.unlock();
        }
        long refused = tokens;
        tell(listener -> listener.refused(inputs.size(), refused));
        throw new RejectedExecutionException("the queue of model " + model.name() + " takes " + options.queuedTokens()
                + " tokens that wait; " + before + " do, and " + tokens + " came");
    }

    private void append(List<QueuedInput<R>> inputs) {
        boolean wasEmpty = waiting.isEmpty();
        long now = System.nanoTime();
        for (QueuedInput<R> input : inputs) {
            input.since = now;
            waiting.add(input);
        }
        if (wasEmpty || waiting.tokens() >= options.batchTokens()) {
            arrived.signal();
        }
    }

    private void withdraw(List<QueuedInput<R>> inputs) {
        int withdrawn = 0;
        lock.lock();
        try {
            for (QueuedInput<R> input : inputs) {
                withdrawn += waiting.remove(input) ? 1 : 0;
            }
        } finally {
            lock.unlock();
        }
        if (withdrawn > 0) {
            int count = withdrawn;
            tell(listener -> listener.withdrawn(count));
        }
    }

    /** What a thread of the queue does. */
    private void work() {
        while (true) {
            List<QueuedInput<R>> batch;
            try {
                batch = take();
            } catch (OutOfMemoryError e) {
                Thread.onSpinWait(); // what waits is still there
                continue;
            }
            if (batch.isEmpty()) {
                return;
            }
            try {
                run(batch);
            } catch (Throwable e) {
                batch.forEach(queued -> queued.fail(e)); // no memory, even for errors
            }
        }
    }

    /** The next batch; empty once the queue is closed. */
    private List<QueuedInput<R>> take() {
        lock.lock();
        try {
            while (!isReady()) {
                arrived.awaitUninterruptibly();
            }
            List<QueuedInput<R>> batch = waiting.take(options.batchTokens());
            if (!waiting.isEmpty()) {
                arrived.signal();
            }
            return batch;
        } finally {
            lock.unlock();
        }
    }

    /** Whether there is a batch to take, after lingering for it, or the queue is closed. */
    private boolean isReady() {
        while (!closed && !waiting.isEmpty() && waiting.tokens() < options.batchTokens()) {
            long left = waiting.first().since + options.linger().toNanos() - System.nanoTime();
            if (left <= 0) {
                return true;
            }
            try {
                arrived.awaitNanos(left);
            } catch (InterruptedException e) {
                return true; // nobody does this; whoever does wants to see things done
            }
        }
        return closed || !waiting.isEmpty();
    }

    private void run(List<QueuedInput<R>> batch) {
        try {
            long start = System.nanoTime();
            List<R> results = model.run(batch.stream().map(queued -> queued.input).toList(),
                    batch.getFirst().since);
            long end = System.nanoTime();
            tell(listener -> listener.ran(new QueueListener.Batch(batch.stream().mapToLong(queued -> start - queued.since)
                    .toArray(), batch.stream().mapToInt(queued -> queued.input.tokens()).sum(), end - start)));
            for (int i = 0; i < results.size(); i++) {
                batch.get(i).done(results.get(i));
            }
        } catch (Throwable e) {
            if (batch.size() == 1) {
                batch.getFirst().fail(e);
            } else {
                batch.forEach(queued -> run(List.of(queued)));
            }
        }
    }

    private void tell(Consumer<QueueListener> event) {
        try {
            event.accept(options.listener());
        } catch (RuntimeException e) {
            System.getLogger("dev.fovea").log(System.Logger.Level.WARNING,
                    "the listener of the queue of model " + model.name() + " failed", e);
        }
    }

    private <T> T await(CompletableFuture<T> call) throws InterruptedException {
        try {
            return call.get();
        } catch (InterruptedException e) {
            call.cancel(false);
            throw e;
        } catch (ExecutionException e) {
            throw unwrapped(e);
        }
    }

    private <T> T await(CompletableFuture<T> call, Duration timeout) throws InterruptedException, TimeoutException {
        try {
            return call.get(Math.max(0, TimeUnit.NANOSECONDS.convert(timeout)), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            call.cancel(false);
            throw e;
        } catch (TimeoutException _) {
            call.cancel(false);
            throw new TimeoutException("the queue of model " + model.name() + " has given no result within "
                    + timeout.toMillis() + " ms; " + waitingInputs() + " other inputs wait");
        } catch (ExecutionException e) {
            throw unwrapped(e);
        }
    }

    private static RuntimeException unwrapped(ExecutionException e) {
        return switch (e.getCause()) {
            case RuntimeException cause -> cause;
            case Error cause -> throw cause;
            default -> new IllegalStateException(e.getCause());
        };
    }

    /** How many inputs wait now. */
    public int waitingInputs() {
        lock.lock();
        try {
            return waiting.count();
        } finally {
            lock.unlock();
        }
    }

    /** How many tokens they have. */
    public long waitingTokens() {
        lock.lock();
        try {
            return waiting.tokens();
        } finally {
            lock.unlock();
        }
    }

    /** How it gathers; with the tokens of a batch that its backend takes, where nothing else was asked for. */
    public QueueOptions options() {
        return options;
    }

    private void requireOpen() {
        if (closed) {
            throw closed();
        }
    }

    private IllegalStateException closed() {
        return new IllegalStateException("queue of " + model.name() + " is closed");
    }

    /**
     * Lets nothing in any more. Callers whose inputs wait get an {@link IllegalStateException}; those whose inputs run get
     * their results. Idempotent; never waits.
     */
    @Override
    public void close() {
        List<QueuedInput<R>> left;
        lock.lock();
        try {
            closed = true;
            left = waiting.take(Long.MAX_VALUE);
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        left.forEach(input -> input.fail(closed()));
    }
}
