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
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * Runs batches for the requests of a {@link Scheduler}: who has a slot, which tokens a run has, and what comes of it. For
 * one thread at a time, that of who leads.
 */
final class Batcher {
    private final SchedulerOptions options;
    private final AtomicReferenceArray<TokenRequest> requests;
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
    private volatile long runs;

    /** See {@link Scheduler#create}; {@code owner} closes what this opens. */
    Batcher(Plan plan, CacheSet cache, SchedulerOptions options, Supplier<Sampler> samplers, Drafts drafts,
            AtomicReferenceArray<TokenRequest> requests, Owner owner) {
        this.options = options;
        this.requests = requests;
        this.cache = cache;
        this.samplers = samplers;
        this.drafts = drafts;
        int places = cache.sequences() - 1;
        takesSpans = plan.takesSpans();
        int rows = places * (1 + options.drafts());
        chunk = Math.min(options.chunk(), cache.capacity());
        session = owner.own(takesSpans ? plan.newSession(chunk + rows, rows, List.of(cache))
                : plan.newSession(chunk + rows, List.of(cache)));
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

    /** A sequence that no slot has. */
    int spare() {
        return slots.length;
    }

    /** Slots with a request. */
    int atWork() {
        return activeCount;
    }

    /** Passes over the weights so far. */
    long runs() {
        return runs;
    }

    /** One run for all. A request that fails ends; an error leaves all in no order. */
    void step() {
        endLate();
        admit();
        try {
            if (compose()) {
                runs++;
                int spans = write();
                if (takesSpans) {
                    session.runSpans(spare() + 1, spans);
                } else {
                    session.run(spare() + 1);
                }
                harvest();
            }
        } catch (RuntimeException e) {
            failAll(e);
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
        request.choice().begin(slot.sampler);
        slot.sampler.start(request.sampling());
        for (int i = 0; i < request.promptLength(); i++) {
            slot.sampler.read(request.tokens()[i]);
        }
        for (int i = 0; i < request.written(); i++) {
            slot.sampler.resume(request.token(i));
        }
        slot.held = options.keeps() ? cache.adopt(free, request.tokens(), slot.known - 1) : 0;
        request.begin(slot.held);
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
        offsets.setAtIndex(ValueLayout.JAVA_INT, spare() + 1L, end);
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
                int token = request.choose(slot.sampler, logits[slot.firstRow + right]);
                slot.known++;
                if (request.hasEnded() || right == slot.draftCount || slot.drafts[right] != token) {
                    return right;
                }
                right++;
            }
        } catch (RuntimeException e) { // such as logits that are not finite: nobody else's
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
}
