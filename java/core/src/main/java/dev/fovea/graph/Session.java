package dev.fovea.graph;

import dev.fovea.internal.backend.Batch;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs a plan on batches of sequences, in a workspace of its own. For one thread at a time.
 *
 * <p>The caller writes the token ids of all sequences, one after the other, into {@link #ids()} and where each
 * begins into {@link #offsets()}, with the number of tokens at the end, then calls {@link #run} and reads
 * {@link #output()}:
 *
 * <pre>
 *   ids      101 7592 102 101 2204 2851 102
 *   offsets    0            3              7     2 sequences
 * </pre>
 *
 * <p>A run makes no object on the Java heap. It works in the engine's threads and in the caller's.
 */
public final class Session implements AutoCloseable {
    /** What a session has for one capacity. */
    private record Room(Owner owner, Batch batch, Tensor ids, Tensor offsets, Tensor spans, Execution execution) {
        static Room create(Plan plan, int maxTokens, int maxSequences, int maxSpans, List<CacheStore> caches,
                boolean explaining) {
            if (maxTokens < 1 || maxSequences < 1) {
                throw new IllegalArgumentException("a session takes at least 1 token and 1 sequence, got capacity for "
                        + maxTokens + " tokens and " + maxSequences + " sequences");
            }
            if (!caches.isEmpty() && maxSequences != caches.getFirst().sequences()) {
                throw new IllegalArgumentException("expected " + caches.getFirst().sequences()
                        + " sequences, which the caches have, got capacity for " + maxSequences);
            }
            return Owner.create("workspace", owner -> {
                var batch = new Batch(owner.arena(), plan.lowered().limits(), maxTokens, maxSequences, maxSpans);
                Tensor ids = Tensor.allocate(owner.arena(), DType.I32, Shape.of(maxTokens));
                Tensor offsets = Tensor.allocate(owner.arena(), DType.I32, Shape.of(maxSequences + 1L));
                Tensor spans = Tensor.allocate(owner.arena(), DType.I32, Shape.of(maxSpans + 1L));
                Execution execution = owner.own(plan.program().newExecution(maxTokens, Math.max(maxSequences, maxSpans),
                        caches, explaining));
                return new Room(owner, batch, ids, offsets, spans, execution);
            });
        }

        /** The batch's copy of ids, types, offsets and spans, and the caller's. */
        long bytes() {
            long tables = 2 * (ids.segment().byteSize() + offsets.segment().byteSize() + spans.segment().byteSize());
            return tables + (batch.types() == null ? 0 : batch.types().segment().byteSize()) + execution.bytes();
        }
    }

    private final Plan plan;
    private final Owner owner;
    private final CacheSet[] sets;
    private final List<CacheStore> stores;
    private final boolean[] appended;
    private final boolean explaining;
    private final CacheStore positions;
    private final List<Step.Attention> turned;
    private final int maxSpans;
    private Room room;

    private Session(Plan plan, int maxTokens, int maxSequences, int maxSpans, List<CacheSet> caches, boolean explaining,
            Owner owner) {
        this.plan = plan;
        this.maxSpans = maxSpans;
        this.owner = owner;
        this.sets = caches.toArray(new CacheSet[0]);
        this.stores = new ArrayList<>();
        for (CacheSet set : sets) {
            stores.add(set.store());
        }
        this.explaining = explaining;
        this.appended = new boolean[sets.length];
        for (int i = 0; i < sets.length; i++) {
            appended[i] = plan.lowered().appendsTo(i);
        }
        this.positions = plan.lowered().positions(stores);
        this.turned = CacheFit.turned(plan.lowered());
        this.room = Room.create(plan, maxTokens, maxSequences, maxSpans, stores, explaining);
        owner.own(() -> room.owner().close());
        plan.memoryUse().add(workspaceBytes(), cacheBytes());
        owner.own(() -> plan.memoryUse().add(-workspaceBytes(), -cacheBytes()));
    }

    static Session create(Plan plan, int maxTokens, int maxSequences, int maxSpans, List<CacheSet> caches,
            boolean explaining) {
        return Owner.create("session",
                owner -> new Session(plan, maxTokens, maxSequences, maxSpans, caches, explaining, owner));
    }

    /** The most tokens that a run takes. */
    public int maxTokens() {
        return room.batch().maxTokens();
    }

    /** The most sequences that a run takes. */
    public int maxSequences() {
        return room.batch().maxSequences();
    }

    /** Bytes of memory off the Java heap that it works in, which grow with its capacity; without its caches. */
    public long workspaceBytes() {
        return room.bytes();
    }

    private long cacheBytes() {
        long bytes = 0;
        for (CacheStore store : stores) {
            bytes += store.bytes();
        }
        return bytes;
    }

    /**
     * Where the caller writes token ids: I32 [maxTokens]. Valid until the session is closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor ids() {
        owner.requireOpen();
        return room.ids();
    }

    /**
     * Where the caller writes sequence starts: I32 [maxSequences + 1]. Valid until the session is closed or
     * grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor offsets() {
        owner.requireOpen();
        return room.offsets();
    }

    /**
     * Where the caller writes the starts of spans: I32 [maxSpans + 1]. Valid until the session is closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor spans() {
        owner.requireOpen();
        return room.spans();
    }

    /**
     * As {@link #run(int)}, but what is pooled, and all that is computed of it, has a row for each of some spans of tokens,
     * not for each sequence. So a sequence may have several rows in one run, such as the logits behind each of its last
     * tokens, or none:
     *
     * <pre>
     *   sequences  a a a | b | c c c c        a begins, b and c go on
     *   spans      a | a | a b | c c c        the last token of each span: two of a, that of b, the third of c
     * </pre>
     *
     * <p>Where spans begin and the last one ends stands in {@link #spans()}. They lie one behind the other from the first
     * token on; tokens behind the last span are in none. Attention knows nothing of spans.
     *
     * @param spans 0 to the maxSpans that the session was made for
     * @throws IllegalArgumentException as {@link #run(int)}, or if the spans do not fit the batch
     */
    public void runSpans(int sequences, int spans) {
        if (spans < 0) {
            throw new IllegalArgumentException("the session has capacity for " + maxSpans + " spans, got " + spans);
        }
        owner.enterAlone();
        try {
            run(sequences, room.ids().segment(), null, room.offsets().segment(), spans, room);
        } finally {
            owner.exit();
        }
    }

    /**
     * Computes the outputs for the batch in {@link #ids()} and {@link #offsets()}.
     *
     * <p>On caches, the tokens of sequence s follow those that the caches hold of it, and are appended to them. All
     * sequences of the caches take part; those that have no tokens in this batch stay as they are.
     *
     * @param sequences the number of sequences, 0 to maxSequences; on caches, as many as they have
     * @throws IllegalArgumentException if there are more sequences or tokens than the session's capacity, the
     *     offsets do not begin with 0 or decrease, an id is outside the vocabulary, or a sequence is longer
     *     than the model's positions or than its caches have room for; the outputs are undefined then, the session
     *     stays usable
     * @throws IllegalStateException if the session, its plan or its engine is closed, or another thread uses
     *     the session
     */
    public void run(int sequences) {
        owner.enterAlone();
        try {
            run(sequences, room.ids().segment(), null, room.offsets().segment(), -1, room);
        } finally {
            owner.exit();
        }
    }

    /**
     * As {@link #run(int)}, for a batch in memory of the caller's, which is copied and checked in one pass.
     *
     * @param ids I32 [≥ tokens], on or off the heap, at any alignment
     * @param offsets I32 [≥ sequences + 1], likewise
     */
    public void run(int sequences, MemorySegment ids, MemorySegment offsets) {
        run(sequences, ids, null, offsets);
    }

    /**
     * As {@link #run(int, MemorySegment, MemorySegment)}, with the type of each token, for graphs that read types.
     *
     * @param types I32 [≥ tokens], on or off the heap, at any alignment; null for 0
     */
    public void run(int sequences, MemorySegment ids, MemorySegment types, MemorySegment offsets) {
        owner.enterAlone();
        try {
            run(sequences, ids, types, offsets, -1, room);
        } finally {
            owner.exit();
        }
    }

    private void run(int sequences, MemorySegment ids, MemorySegment types, MemorySegment offsets, int spans, Room room) {
        plan.owner().enter();
        try {
            int entered = 0;
            try {
                for (; entered < sets.length; entered++) {
                    sets[entered].enter();
                }
                if (sets.length > 0 && sequences != maxSequences()) {
                    throw new IllegalArgumentException(
                            "expected all " + maxSequences() + " sequences of the caches, got " + sequences);
                }
                room.batch().take(sequences, ids, types, offsets, positions == null ? null : positions.lengths());
                if (spans >= 0) {
                    room.batch().takeSpans(spans, room.spans().segment());
                }
                runOnCaches(room);
            } finally {
                while (entered > 0) {
                    sets[--entered].exit();
                }
            }
        } finally {
            plan.owner().exit();
        }
    }

    /** Appends to all caches or, if a sequence has no room in one of them or the run fails, to none. */
    private void runOnCaches(Room room) {
        boolean done = false;
        try {
            for (int i = 0; i < sets.length; i++) {
                if (appended[i]) {
                    sets[i].store().begin(room.batch());
                }
            }
            for (int i = 0; i < turned.size(); i++) {
                Step.Attention attention = turned.get(i);
                CacheFit.requirePositions(attention.spec(), room.batch(), stores.get(attention.cache().group()));
            }
            room.execution().run(room.batch());
            done = true;
        } finally {
            for (int i = 0; i < sets.length; i++) {
                if (done && appended[i]) {
                    sets[i].store().commit();
                } else if (appended[i]) {
                    sets[i].store().rollback();
                }
            }
        }
    }

    /**
     * The graph's first output, F32 [capacity, columns] with dense rows: after a run its first rows hold the
     * result, one row per token or sequence. Valid until the session is closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor output() {
        return output(0);
    }

    /**
     * The graph's output of this index; see {@link #output()}.
     *
     * @throws IndexOutOfBoundsException if there is no such output
     * @throws IllegalStateException if the session is closed
     */
    public Tensor output(int index) {
        owner.requireOpen();
        return room.execution().output(index);
    }

    /**
     * What every attention of the graph attended to in the last run, in the order of the graph: F32 [heads, maxTokens,
     * keys], a row per query token, with as many keys as maxTokens or, on a cache, as its capacity. A row begins with
     * the keys of its sequence, which sum to 1, those that a mask hides being 0; what lies behind them is undefined.
     * Empty unless the session is {@link Plan#newExplainingSession(int, int) explaining}. Valid until the session is
     * closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public List<Tensor> patterns() {
        owner.requireOpen();
        return room.execution().patterns();
    }

    /**
     * Grows to at least these numbers of tokens and sequences; never shrinks. Growing moves everything:
     * tensors taken from the session before are dead, inputs and outputs are undefined.
     *
     * @throws IllegalArgumentException if the workspace would exceed the address space
     * @throws IllegalStateException if the session or its plan is closed, or another thread uses the session
     */
    public void ensureCapacity(int tokens, int sequences) {
        owner.enterAlone();
        try {
            if (tokens > maxTokens() || sequences > maxSequences()) {
                grow(Math.max(tokens, maxTokens()), Math.max(sequences, maxSequences()));
            }
        } finally {
            owner.exit();
        }
    }

    private void grow(int tokens, int sequences) {
        plan.owner().enter();
        try {
            for (CacheSet set : sets) {
                set.requireOpen();
            }
            Room larger = Room.create(plan, tokens, sequences, maxSpans, stores, explaining);
            plan.memoryUse().add(larger.bytes() - room.bytes(), 0);
            room.owner().close();
            room = larger;
        } finally {
            plan.owner().exit();
        }
    }

    /** Frees the workspace, at once or when the run in progress is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }

    /** Such as {@code Session[64 tokens, 1 sequences, 812340 bytes]}: its capacity and its workspace. */
    @Override
    public String toString() {
        return "Session[" + maxTokens() + " tokens, " + maxSequences() + " sequences, " + workspaceBytes() + " bytes]";
    }
}
