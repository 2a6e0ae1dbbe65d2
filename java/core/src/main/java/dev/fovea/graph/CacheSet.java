package dev.fovea.graph;

import dev.fovea.Engine;
import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Objects;

/**
 * What a model remembers of sequences that grow: the keys and values of all its layers, which have one length and one
 * table of pages. A run of a session appends to every layer or, if it is refused or fails, to none; truncating and
 * forking touch all layers alike.
 *
 * <p>Keys are turned by their layer's RoPE when they are appended. All memory, {@link #bytes()}, is taken from the
 * engine's device when the set is made. Serves one thread at a time. Kwon et al., PagedAttention, arXiv:2309.06180.
 *
 * <p>For attention without a graph there is {@link dev.fovea.attention.KvCache}.
 */
public final class CacheSet implements AutoCloseable {
    /** Tokens to a page. */
    public static final int PAGE_TOKENS = PageTable.PAGE_KEYS;

    private final CacheStore store;
    private final Owner owner;

    private CacheSet(CacheStore store, Owner owner) {
        this.store = store;
        this.owner = owner;
    }

    /** An empty set in F32; see {@link #create(Engine, List, int, int, Layout)}. */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity) {
        return create(engine, layers, sequences, capacity, DType.F32);
    }

    /**
     * An empty set.
     *
     * @param engine must be closed later than the set
     * @param layers gives key/value heads, dims and RoPE of each layer
     * @param sequences sequences that it holds at most, forks included
     * @param capacity tokens that each sequence holds at most
     * @param type what keys and values are kept as: F32, F16, BF16 or, not on a GPU, Q8_0, of which head_dim and value_dim of
     *     every layer are multiples of 32, at most 4096
     * @throws IllegalArgumentException if a value is out of its range
     * @throws OutOfMemoryError if the device has not as much memory
     */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity,
            Layout type) {
        return Owner.create("cache set", owner ->
                new CacheSet(new CacheStore(Device.of(engine), owner, layers, sequences, capacity, type), owner));
    }

    /** The same with a type of elements: F32, F16 or BF16. */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity,
            DType dtype) {
        return create(engine, layers, sequences, capacity, CachePages.layout(dtype));
    }

    /**
     * An empty set with room for fewer tokens than all sequences at full length have, or for more. What {@linkplain #keep is
     * kept} takes the room that sequences leave.
     *
     * @param tokens tokens that there is room for, rounded up to pages of 128, and to one page more than a sequence at full
     *     length needs; a run that would need more is refused by an {@link IllegalStateException}
     * @throws IllegalArgumentException if a value is out of its range
     * @throws OutOfMemoryError if the device has not as much memory
     */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity,
            Layout type, long tokens) {
        return Owner.create("cache set", owner ->
                new CacheSet(new CacheStore(Device.of(engine), owner, layers, sequences, capacity, type, tokens), owner));
    }

    /** The same with a type of elements: F32, F16 or BF16. */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity,
            DType dtype, long tokens) {
        return create(engine, layers, sequences, capacity, CachePages.layout(dtype), tokens);
    }

    /** Sequences that it holds at most; they are numbered from 0. */
    public int sequences() {
        return store.sequences();
    }

    /** Tokens that each sequence holds at most. */
    public int capacity() {
        return store.capacity();
    }

    /** What each layer is made for. */
    public List<AttentionSpec> layers() {
        return store.layers();
    }

    /** Bytes of the device's memory that keys and values take. */
    public long bytes() {
        return store.bytes();
    }

    /**
     * Tokens that a sequence holds, in every layer.
     *
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public int length(int sequence) {
        enter(sequence);
        try {
            return store.length(sequence);
        } finally {
            owner.exit();
        }
    }

    /**
     * Drops the tokens of a sequence from {@code newLength} on.
     *
     * @throws IllegalArgumentException if the sequence holds fewer tokens
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public void truncate(int sequence, int newLength) {
        enter(sequence);
        try {
            if (newLength < 0 || newLength > store.length(sequence)) {
                throw new IllegalArgumentException("expected a length of 0 to " + store.length(sequence)
                        + ", which sequence " + sequence + " holds, got " + newLength);
            }
            store.truncate(sequence, newLength);
        } finally {
            owner.exit();
        }
    }

    /**
     * Makes sequence {@code to} a copy of {@code from}, in place of what it held. Both share their pages until one of
     * them writes to a shared page, which is copied then.
     *
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public void fork(int from, int to) {
        Objects.checkIndex(to, sequences());
        enter(from);
        try {
            store.fork(from, to);
        } finally {
            owner.exit();
        }
    }

    /**
     * Keeps the first tokens of a sequence, whatever becomes of it: {@link #adopt} finds them, until the room is needed for
     * sequences that grow. Then those go first that were kept or found longest ago.
     *
     * @param tokens [≥ count] which the sequence holds; the set does not know them otherwise
     * @throws IllegalArgumentException if the sequence holds fewer tokens, or other tokens are known to be kept in its pages
     * @throws IndexOutOfBoundsException if there is no such sequence, or there are fewer tokens
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public void keep(int sequence, int[] tokens, int count) {
        Objects.checkFromIndexSize(0, count, tokens.length);
        enter(sequence);
        try {
            if (count > store.length(sequence)) {
                throw new IllegalArgumentException("expected at most the " + store.length(sequence) + " tokens that sequence "
                        + sequence + " holds, got " + count);
            }
            store.keep(sequence, tokens, count);
        } finally {
            owner.exit();
        }
    }

    /**
     * Makes a sequence hold what is kept of the beginning of some tokens, in place of what it held. It shares their pages
     * until it writes to one, as after {@link #fork}.
     *
     * @param tokens [≥ count]
     * @return how many of them it holds now, at most {@code count}
     * @throws IndexOutOfBoundsException if there is no such sequence, or there are fewer tokens
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public int adopt(int sequence, int[] tokens, int count) {
        Objects.checkFromIndexSize(0, count, tokens.length);
        enter(sequence);
        try {
            return store.adopt(sequence, tokens, Math.min(count, capacity()));
        } finally {
            owner.exit();
        }
    }

    /**
     * The most pages of 128 tokens that a sequence takes from the {@link #availablePages} to grow by some tokens.
     *
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public int missingPages(int sequence, int tokens) {
        enter(sequence);
        try {
            return store.missingPages(sequence, tokens);
        } finally {
            owner.exit();
        }
    }

    /**
     * Pages of 128 tokens that are left for sequences that grow, kept ones included.
     *
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public int availablePages() {
        owner.enterAlone();
        try {
            return store.availablePages();
        } finally {
            owner.exit();
        }
    }

    /** Bytes of the keys and values of {@value #PAGE_TOKENS} tokens, in all layers: what {@link #readPage} gives. */
    public long pageBytes() {
        return store.pageBytes();
    }

    /**
     * Copies the keys and values of some tokens of a sequence to memory of the caller's: those of the page from token {@code
     * index · 128} on, layer by layer, keys [kv_heads, 128, head_dim] before values [kv_heads, 128, value_dim]. Of tokens
     * that the sequence does not hold they are 0.
     *
     * @param target {@link #pageBytes()} bytes
     * @throws IllegalArgumentException if {@code target} has another size
     * @throws IndexOutOfBoundsException if there is no such sequence, or it has no token in that page
     * @throws IllegalStateException if the set is closed or in use by another thread
     */
    public void readPage(int sequence, int index, MemorySegment target) {
        requirePage(target);
        enter(sequence);
        try {
            Objects.checkIndex(index, Math.ceilDiv(store.length(sequence), PAGE_TOKENS));
            store.readPage(sequence, index, target);
        } finally {
            owner.exit();
        }
    }

    /**
     * Appends to a sequence what {@link #readPage} gave of tokens of the same positions, in a set of the same layers and type.
     * That they are what the model computes of these tokens is the caller's responsibility.
     *
     * @param tokens 1 to 128
     * @param source {@link #pageBytes()} bytes
     * @throws IllegalArgumentException if {@code source} has another size, the sequence's tokens do not fill their last page,
     *     it has no room for more, or a value is not finite
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the set is closed or in use by another thread, or has no free page
     */
    public void appendPage(int sequence, int tokens, MemorySegment source) {
        requirePage(source);
        enter(sequence);
        try {
            int held = store.length(sequence);
            if (held % PAGE_TOKENS != 0 || tokens < 1 || tokens > Math.min(PAGE_TOKENS, capacity() - held)) {
                throw new IllegalArgumentException("expected 1 to " + PAGE_TOKENS + " tokens behind whole pages and within a"
                        + " capacity of " + capacity() + ", got " + tokens + " behind " + held);
            }
            store.appendPage(sequence, tokens, source);
        } finally {
            owner.exit();
        }
    }

    private void requirePage(MemorySegment memory) {
        if (memory.byteSize() != pageBytes()) {
            throw new IllegalArgumentException("expected memory of " + pageBytes() + " bytes, which a page has, got "
                    + memory.byteSize());
        }
    }

    /** Drops all tokens of a sequence. See {@link #truncate}. */
    public void reset(int sequence) {
        truncate(sequence, 0);
    }

    /** Drops all tokens of all sequences, and all that is kept. */
    public void reset() {
        owner.enterAlone();
        try {
            for (int s = 0; s < sequences(); s++) {
                store.truncate(s, 0);
            }
            store.forget();
        } finally {
            owner.exit();
        }
    }

    /** Frees the memory, at once or when the run that uses it ends. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }

    /** Such as {@code CacheSet[12 layers, 1 sequences of 4096 tokens, F16, 100663296 bytes]}. */
    @Override
    public String toString() {
        return "CacheSet[" + layers().size() + " layers, " + sequences() + " sequences of " + capacity() + " tokens, "
                + store.type() + ", " + bytes() + " bytes]";
    }

    private void enter(int sequence) {
        Objects.checkIndex(sequence, sequences());
        owner.enterAlone();
    }

    void requireOpen() {
        owner.requireOpen();
    }

    /** Keeps it open, and everyone else out, until {@link #exit}. */
    void enter() {
        owner.enterAlone();
    }

    void exit() {
        owner.exit();
    }

    /** What executions write to. */
    CacheStore store() {
        return store;
    }
}
