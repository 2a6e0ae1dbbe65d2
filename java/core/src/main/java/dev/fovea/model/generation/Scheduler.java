package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.generation.TokenRequest.State;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
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
public final class Scheduler implements AutoCloseable {
    /** How long a caller sleeps at most before it looks for itself, in nanoseconds. */
    private static final long NAP = 50_000_000;

    private final SchedulerOptions options;
    private final AtomicReferenceArray<TokenRequest> requests;
    private final AtomicLong tickets = new AtomicLong();
    private final AtomicBoolean led = new AtomicBoolean();
    private final Owner owner;
    private final CacheSet cache;
    private final Session session;
    private final boolean takesSpans;
    private final int chunk;
    private final MemorySegment[] logits;
    private final Supplier<Sampler> samplers;
    private final Drafts drafts;
    private final Slot[] slots;
    /** Those with a request, the one that goes first first. */
    private final Slot[] active;
    private int activeCount;
    private volatile Error broken;

    private Scheduler(Plan plan, CacheSet cache, SchedulerOptions options, Supplier<Sampler> samplers, Drafts drafts,
            Owner owner) {
        this.options = options;
        this.owner = owner;
        this.cache = cache;
        this.samplers = samplers;
        this.drafts = drafts;
        int places = cache.sequences();
        takesSpans = plan.takesSpans();
        int rows = places * (1 + options.drafts());
        chunk = Math.min(options.chunk(), cache.capacity());
        int tokens = chunk + rows;
        session = owner.own(takesSpans ? plan.newSession(tokens, rows, List.of(cache))
                : plan.newSession(tokens, List.of(cache)));
        requests = new AtomicReferenceArray<>(places + options.waiting());
        slots = new Slot[places];
        active = new Slot[places];
        for (int i = 0; i < places; i++) {
            slots[i] = new Slot(i, options.drafts());
        }
        Tensor output = session.output();
        logits = new MemorySegment[takesSpans ? rows : places];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = output.segment().asSlice(i * output.stride(0) * Float.BYTES, output.size(1) * Float.BYTES);
        }
    }

    /**
     * A scheduler without requests.
     *
     * @param plan of which the logits behind the last tokens are the first output
     * @param cache has as many sequences as requests are written at once, which are empty; closed with this
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

    /**
     * Takes a request. A call of {@link #leave} must follow.
     *
     * @throws RejectedExecutionException if there are as many as it takes
     * @throws IllegalStateException if it is closed
     */
    public void submit(TokenRequest request) {
        owner.enter();
        request.ticket = tickets.getAndIncrement();
        for (int i = 0; i < requests.length(); i++) {
            if (requests.getPlain(i) == null) {
                request.index = i;
                if (requests.compareAndSet(i, null, request)) {
                    return;
                }
            }
        }
        owner.exit();
        throw new RejectedExecutionException("the model has " + requests.length() + " requests, as many as it takes: "
                + slots.length + " that are written at once (concurrency) and " + options.waiting() + " that wait (queue)");
    }

    /**
     * Waits until a request has more tokens than {@code heard}, or has ended; meanwhile the caller may work for all. Ends
     * it when its time is over or the calling thread is interrupted, which stays so.
     *
     * @return the tokens that it has
     * @throws IllegalStateException if another caller's error has broken the scheduler
     */
    public int await(TokenRequest request, int heard) {
        while (!hasNews(request, heard)) {
            if (led.compareAndSet(false, true)) {
                try {
                    do {
                        step();
                    } while (!hasNews(request, heard));
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

    /** Takes leave of a request; one that has not ended is cancelled. */
    public void leave(TokenRequest request) {
        request.cancel();
        requests.set(request.index, null);
        handOver();
        owner.exit();
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

    /** One run for all. */
    private void step() {
        boolean done = false;
        try {
            endLate();
            admit();
            try {
                if (compose()) {
                    if (takesSpans) {
                        session.runSpans(slots.length, write());
                    } else {
                        write();
                        session.run(slots.length);
                    }
                    harvest();
                }
            } catch (RuntimeException e) {
                failAll(e);
            }
            done = true;
        } catch (Error e) {
            broken = e;
            throw e;
        } finally {
            if (!done && broken == null) {
                broken = new AssertionError("a run of the scheduler has failed");
            }
        }
    }

    /** Frees slots whose requests have ended, by their callers or now, because they are late. */
    private void endLate() {
        long now = System.nanoTime();
        for (int i = activeCount - 1; i >= 0; i--) {
            TokenRequest request = active[i].request;
            if (request.isLate(now)) {
                request.end(State.LATE);
                wake(request);
            }
            if (request.hasEnded()) {
                free(i);
            }
        }
    }

    /** Gives slots to those that wait, the first first; one of a lower priority makes room. */
    private void admit() {
        TokenRequest first = first();
        while (first != null) {
            if (activeCount == slots.length) {
                if (active[activeCount - 1].request.priority() >= first.priority()) {
                    return;
                }
                putBack(activeCount - 1);
            }
            if (activeCount > 0 && !hasRoom(first)) {
                return;
            }
            if (first.turn(State.WAITING, State.AT_WORK)) {
                admit(first);
            }
            first = first();
        }
    }

    /** Whether a request that begins makes nobody else wait soon. */
    private boolean hasRoom(TokenRequest request) {
        int pages = (request.promptLength() + request.written()) / CacheSet.PAGE_TOKENS + 2;
        return pages + activeCount <= cache.availablePages();
    }

    private TokenRequest first() {
        TokenRequest first = null;
        for (int i = 0; i < requests.length(); i++) {
            TokenRequest request = requests.get(i);
            if (request != null && request.state() == State.WAITING && (first == null || request.isBefore(first))) {
                first = request;
            }
        }
        return first;
    }

    private void admit(TokenRequest request) {
        int free = 0;
        while (slots[free].request != null) {
            free++;
        }
        Slot slot = slots[free];
        if (slot.sampler == null) {
            slot.sampler = samplers.get();
        }
        slot.request = request;
        slot.known = request.promptLength() + request.written();
        slot.kept = false;
        slot.draftLimit = options.drafts();
        slot.sampler.start(request.sampling());
        for (int i = 0; i < request.promptLength(); i++) {
            slot.sampler.read(request.tokens()[i]);
        }
        for (int i = 0; i < request.written(); i++) {
            slot.sampler.resume(request.token(i));
        }
        slot.held = options.keeps() ? cache.adopt(free, request.tokens(), slot.known - 1) : 0;
        if (drafts != null) {
            drafts.begin(slot);
        }
        int at = activeCount++;
        for (; at > 0 && request.isBefore(active[at - 1].request); at--) {
            active[at] = active[at - 1];
        }
        active[at] = slot;
    }

    /** Ends a slot's work on its request; what the caches hold of it may be of use to others. */
    private void free(int at) {
        Slot slot = active[at];
        activeCount--;
        System.arraycopy(active, at + 1, active, at, activeCount - at);
        if (options.keeps()) {
            cache.keep(slot.index, slot.request.tokens(), slot.held);
        }
        if (drafts != null) {
            drafts.end(slot);
        }
        cache.reset(slot.index);
        slot.request = null;
        slot.held = 0;
        slot.count = 0;
    }

    /** Lets a request wait for a slot again. */
    private void putBack(int at) {
        TokenRequest request = active[at].request;
        free(at);
        request.turn(State.AT_WORK, State.WAITING);
    }

    /** Chooses the tokens of a run: false for none. */
    private boolean compose() {
        int reading = 0;
        for (int i = 0; i < activeCount; i++) {
            active[i].draftCount = 0;
            reading += active[i].writes() ? 0 : 1;
        }
        if (drafts != null && options.drafts() > 0) {
            drafts.propose(active, activeCount);
        }
        int left = reading < activeCount ? Math.min(options.chunkBeside(), chunk) : chunk;
        for (int i = 0; i < activeCount; i++) {
            Slot slot = active[i];
            if (slot.writes()) {
                slot.count = 1 + slot.draftCount;
            } else {
                slot.count = Math.min(slot.missing(), Math.max(1, left / reading--));
                left -= slot.count;
            }
        }
        makeRoom();
        return activeCount > 0;
    }

    /** Lets those that go last wait again, until the caches have pages for the rest. */
    private void makeRoom() {
        while (activeCount > 0) {
            int missing = 0;
            for (int i = 0; i < activeCount; i++) {
                missing += cache.missingPages(active[i].index, active[i].count);
            }
            if (missing == 0 || missing <= cache.availablePages()) {
                return;
            }
            if (activeCount > 1) {
                putBack(activeCount - 1);
            } else {
                throw new IllegalStateException("the caches have no room for a sequence of " + active[0].known + " tokens");
            }
        }
    }

    /** Writes the batch; returns the number of its spans. */
    private int write() {
        MemorySegment ids = session.ids().segment();
        MemorySegment offsets = session.offsets().segment();
        MemorySegment spans = session.spans().segment();
        int end = 0;
        int row = 0;
        for (Slot slot : slots) {
            slot.rows = 0;
            if (slot.request != null) {
                int own = slot.count - slot.draftCount;
                MemorySegment.copy(slot.request.tokens(), slot.held, ids, ValueLayout.JAVA_INT, (long) end * Integer.BYTES, own);
                MemorySegment.copy(slot.drafts, 0, ids, ValueLayout.JAVA_INT, (long) (end + own) * Integer.BYTES, slot.draftCount);
                end += slot.count;
                slot.rows = own == slot.missing() ? 1 + slot.draftCount : 0;
                slot.firstRow = takesSpans ? row : slot.index;
                for (int i = slot.rows - 1; takesSpans && i >= 0; i--) {
                    spans.setAtIndex(ValueLayout.JAVA_INT, ++row, end - i);
                }
            }
            offsets.setAtIndex(ValueLayout.JAVA_INT, slot.index + 1L, end);
        }
        return row;
    }

    /** Takes over what a run has brought. */
    private void harvest() {
        for (int i = activeCount - 1; i >= 0; i--) {
            Slot slot = active[i];
            int own = slot.count - slot.draftCount;
            slot.held += own;
            keepPrompt(slot);
            if (slot.rows > 0) {
                int right = sample(slot);
                slot.held += right;
                learn(slot, right);
                if (right < slot.draftCount) {
                    cache.truncate(slot.index, slot.held);
                }
                wake(slot.request);
                if (slot.request.hasEnded()) {
                    free(i);
                }
            }
        }
    }

    /** Lets others have the prompt's whole pages, before the answer is there. */
    private void keepPrompt(Slot slot) {
        int length = slot.request.promptLength();
        if (options.keeps() && !slot.kept && slot.held >= length) {
            cache.keep(slot.index, slot.request.tokens(), length - length % CacheSet.PAGE_TOKENS);
            slot.kept = true;
        }
    }

    /** Chooses tokens, as long as the drafts are the same; returns how many of them were. */
    private int sample(Slot slot) {
        TokenRequest request = slot.request;
        int right = 0;
        try {
            while (!request.hasEnded()) {
                int token = slot.sampler.next(logits[slot.firstRow + right]);
                request.write(token, slot.sampler.logProbability());
                slot.known++;
                if (request.hasEnded() || right == slot.draftCount || slot.drafts[right] != token) {
                    return right;
                }
                right++;
            }
        } catch (ArithmeticException e) {
            request.fail(e);
        }
        return right;
    }

    private void learn(Slot slot, int right) {
        if (slot.draftCount > 0) {
            slot.draftLimit = right == slot.draftCount ? Math.min(slot.drafts.length, 2 * slot.draftLimit) : 1 + right;
        }
    }

    private void failAll(RuntimeException e) {
        while (activeCount > 0) {
            Slot slot = active[--activeCount];
            slot.request.fail(e);
            wake(slot.request);
            slot.request = null;
            slot.held = 0;
            cache.reset(slot.index);
        }
    }

    private static void wake(TokenRequest request) {
        if (request.waits) {
            LockSupport.unpark(request.caller());
        }
    }

    /** Frees all, at once or when the last request is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }
}
