package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.generation.TokenRequest.State;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * One model, many requests: every run of the plan has a token of each request that writes and a part of each prompt that is
 * read. It has no thread: of the callers that wait, one leads and runs for all until there is something for itself to hear;
 * then another may lead.
 *
 * <pre>
 *   requests   | a | b | c |   | d | ...    one of each caller; those that wait for a slot too
 *   slots      | b | a | d |                 sequences of the caches
 *   a run      | b: 1 token | a: 1 token, 3 drafts | d: 32 tokens of its prompt |
 * </pre>
 *
 * <p>What is written does not depend on who else is there. There is no lock, and a token makes no object on the heap.
 */
public final class Scheduler implements TokenWriter, AutoCloseable {
    /** How long a caller sleeps at most before it looks for itself, in nanoseconds. */
    private static final long NAP = 50_000_000;
    /** How long who may lead lets visitors go before, in nanoseconds. */
    private static final long COURTESY = 50_000;

    private final SchedulerOptions options;
    private final AtomicReferenceArray<TokenRequest> requests;
    private final AtomicLong tickets = new AtomicLong();
    private final AtomicBoolean led = new AtomicBoolean();
    /** Callers that want the caches for a moment, between two runs. */
    private final AtomicInteger visitors = new AtomicInteger();
    private final Owner owner;
    private final CacheSet cache;
    private final Batcher batcher;
    private volatile Throwable broken;

    private Scheduler(Plan plan, CacheSet cache, SchedulerOptions options, Supplier<Sampler> samplers, Drafts drafts,
            Owner owner) {
        this.options = options;
        this.owner = owner;
        this.cache = cache;
        requests = new AtomicReferenceArray<>(cache.sequences() - 1 + options.waiting());
        batcher = new Batcher(plan, cache, options, samplers, drafts, requests, owner);
    }

    /**
     * A scheduler without requests.
     *
     * @param plan of which the logits behind the last tokens are the first output
     * @param cache has a sequence for each of the requests that are written at once, and one more for pages that come and
     *     go; all are empty. Closed with this.
     * @param samplers make one for each of them when it is needed
     * @param drafts what is guessed, if the options say so
     */
    public static Scheduler create(Plan plan, CacheSet cache, SchedulerOptions options, Supplier<Sampler> samplers,
            DraftSource drafts) {
        return Owner.create("scheduler", owner -> {
            owner.own(cache);
            return new Scheduler(plan, cache, options, samplers, drafts(drafts, owner), owner);
        });
    }

    private static Drafts drafts(DraftSource source, Owner owner) {
        return switch (source) {
            case DraftSource.None _ -> null;
            case DraftSource.Repetition _ -> owner.own(new PromptLookup());
            case DraftSource.Model(Plan plan, CacheSet cache) -> {
                owner.own(cache);
                yield owner.own(new DraftModel(plan, cache, Math.min(SchedulerOptions.CHUNK, cache.capacity())));
            }
        };
    }

    /** Whether an error, such as an overflow of a caller's stack, has left it in no order: it serves no one any more. */
    public boolean isBroken() {
        return broken != null;
    }

    @Override
    public void submit(TokenRequest request) {
        owner.enter();
        try {
            if (takePlace(request)) {
                return;
            }
        } catch (StackOverflowError e) {
            broken = e; // nobody knows whether it has a place
            owner.exit();
            throw e;
        }
        owner.exit();
        throw new RejectedExecutionException("the model has " + requests.length() + " requests, as many as it takes: "
                + batcher.spare() + " that are written at once (concurrency) and " + options.waiting() + " that wait (queue)");
    }

    private boolean takePlace(TokenRequest request) {
        request.ticket = tickets.getAndIncrement();
        for (int i = 0; i < requests.length(); i++) {
            if (requests.getPlain(i) == null) {
                request.index = i;
                if (requests.compareAndSet(i, null, request)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** @throws IllegalStateException if another caller's error has broken the scheduler */
    @Override
    public int await(TokenRequest request, int heard) {
        while (!hasNews(request, heard)) {
            if (visitors.get() > 0) {
                LockSupport.parkNanos(this, COURTESY);
            }
            if (led.compareAndSet(false, true)) {
                try {
                    do {
                        lead();
                    } while (!hasNews(request, heard) && visitors.get() == 0);
                } finally {
                    led.set(false);
                }
            } else {
                request.waits = true;
                if (led.get() && !hasNews(request, heard)) {
                    LockSupport.parkNanos(this, request.left(NAP));
                }
                request.waits = false;
            }
        }
        handOver();
        return request.written();
    }

    /** One run. What is thrown here has left nothing in order, whatever it was: also half of a stack's overflow. */
    private void lead() {
        try {
            batcher.step();
        } catch (Throwable e) {
            broken = e;
            throw e;
        }
    }

    private boolean hasNews(TokenRequest request, int heard) {
        if (request.written() > heard || request.hasEnded()) {
            return true;
        }
        if (broken != null) {
            throw new IllegalStateException("an error of another request has ended this one: " + broken, broken);
        }
        if (Thread.currentThread().isInterrupted()) {
            request.cancel();
        } else if (request.isLate(System.nanoTime())) {
            request.end(State.LATE);
        }
        return request.hasEnded();
    }

    @Override
    public void leave(TokenRequest request) {
        try {
            request.cancel();
            requests.set(request.index, null);
            handOver();
        } catch (StackOverflowError e) {
            broken = e; // nobody knows whether it has left its place
            throw e;
        } finally {
            owner.exit();
        }
    }

    /** Passes over the weights so far. */
    public long runs() {
        return batcher.runs();
    }

    /** Bytes of a page of keys and values. */
    public long pageBytes() {
        return cache.pageBytes();
    }

    /**
     * Copies a page of some tokens, if it is kept.
     *
     * @param index from token {@code index · 128} on
     * @param target {@link #pageBytes()} bytes
     * @return whether it is
     * @throws IllegalStateException if the scheduler is closed or broken
     */
    public boolean readPage(int[] tokens, int count, int index, MemorySegment target) {
        return visit(() -> {
            int end = Math.min(count, (index + 1) * CacheSet.PAGE_TOKENS);
            boolean there = cache.adopt(batcher.spare(), tokens, end) == end;
            if (there) {
                cache.readPage(batcher.spare(), index, target);
            }
            return there;
        });
    }

    /**
     * Keeps a page of some tokens, if those before it are kept and there is room that nobody needs now.
     *
     * @return whether it is kept
     * @throws IllegalStateException if the scheduler is closed or broken
     */
    public boolean addPage(int[] tokens, int count, int index, MemorySegment source) {
        return visit(() -> {
            int start = index * CacheSet.PAGE_TOKENS;
            int end = Math.min(count, start + CacheSet.PAGE_TOKENS);
            if (cache.adopt(batcher.spare(), tokens, start) < start || cache.availablePages() <= batcher.atWork()) {
                return false;
            }
            cache.appendPage(batcher.spare(), end - start, source);
            cache.keep(batcher.spare(), tokens, end);
            return true;
        });
    }

    /** Does something between two runs. */
    private boolean visit(BooleanSupplier action) {
        owner.enter();
        visitors.incrementAndGet();
        try {
            while (!led.compareAndSet(false, true)) {
                LockSupport.parkNanos(this, COURTESY);
            }
            try {
                if (broken != null) {
                    throw new IllegalStateException("an error of a request has ended this: " + broken, broken);
                }
                return action.getAsBoolean();
            } finally {
                cache.reset(batcher.spare());
                led.set(false);
            }
        } finally {
            visitors.decrementAndGet();
            handOver();
            owner.exit();
        }
    }

    /** Wakes one caller that waits, if nobody leads. */
    private void handOver() {
        for (int i = 0; i < requests.length() && !led.get(); i++) {
            TokenRequest other = requests.get(i);
            if (other != null && other.waits) {
                LockSupport.unpark(other.caller());
                return;
            }
        }
    }

    /** Frees all, at once or when the last request is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }
}
