package dev.fovea.attention;

import dev.fovea.Engine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.CachePages;
import dev.fovea.internal.backend.CacheSizes;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.internal.backend.IndexCopy;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Objects;

/**
 * The keys and values of sequences that grow, for attention by queries that come later.
 *
 * <pre>
 *   sequence 0   | page 3 | page 0 | page 5 .. |      a page holds the keys and values of 128 tokens
 *   sequence 1   | page 3 | page 0 | page 1 ...... |  a fork shares its pages, until one of both writes to one
 *   sequence 2   | page 2 .. |
 * </pre>
 *
 * <p>Keys are turned by the spec's RoPE when they are appended and lie rotated. Storage is F32, F16, BF16 or Q8_0.
 * All memory, {@link #bytes()}, is taken when the cache is made; nothing is allocated later. Serves one thread
 * at a time. Kwon et al., PagedAttention, arXiv:2309.06180.
 */
public final class KvCache implements AutoCloseable {
    private final Layout type;
    private final int capacity;
    private final Rope rope;
    private final DirectAttention attention;
    private final Tensor keys;
    private final Tensor values;
    private final PageTable pages;
    private final PageTable.PageCopy copy = this::copyPage;
    private final Tensor lengths;
    private final Tensor offsets;
    private final Tensor[] length;
    private final Tensor single;
    private final IndexCopy newStarts;
    private final Owner owner;

    private KvCache(Engine engine, AttentionSpec spec, int sequences, int capacity, Layout type, Owner owner) {
        CacheSizes.require(engine.backend(), List.of(spec), sequences, capacity, type);
        this.owner = owner;
        Arena arena = owner.arena();
        this.type = type;
        this.capacity = capacity;
        this.rope = spec.rope();
        this.attention = Device.of(engine).attention(arena);
        this.pages = new PageTable(arena, sequences, Math.ceilDiv(capacity, PageTable.PAGE_KEYS));
        this.keys = allocatePages(arena, spec.kvHeads(), spec.headDim());
        this.values = allocatePages(arena, spec.kvHeads(), spec.valueDim());
        this.lengths = Tensor.allocate(arena, DType.I32, Shape.of(sequences));
        this.offsets = Tensor.allocate(arena, DType.I32, Shape.of(sequences + 1L));
        this.length = new Tensor[sequences];
        for (int s = 0; s < sequences; s++) {
            MemorySegment one = lengths.segment().asSlice((long) s * Integer.BYTES, Integer.BYTES);
            length[s] = Tensor.of(one, DType.I32, Shape.of(1));
        }
        this.single = Tensor.allocate(arena, DType.I32, Shape.of(2));
        this.newStarts = new IndexCopy(arena, sequences + 1L);
    }

    private Tensor allocatePages(Arena arena, int heads, int dim) {
        long bytes = (long) pages.count() * heads * PageTable.PAGE_KEYS * CachePages.rowBytes(type, dim);
        MemorySegment memory = Tensor.allocate(arena, DType.U8, Shape.of(bytes)).segment();
        return CachePages.of(memory, type, pages.count(), heads, dim);
    }

    /**
     * An empty cache in F32.
     *
     * @param engine must be closed later than the cache
     * @param spec gives key/value heads, dims and RoPE
     * @param sequences sequences that it holds at most, forks included
     * @param capacity tokens that each sequence holds at most
     * @throws IllegalArgumentException if a value is out of its range
     */
    public static KvCache create(Engine engine, AttentionSpec spec, int sequences, int capacity) {
        return create(engine, spec, sequences, capacity, DType.F32);
    }

    /**
     * An empty cache of a type of elements: F32, F16 or BF16.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public static KvCache create(Engine engine, AttentionSpec spec, int sequences, int capacity, DType dtype) {
        return create(engine, spec, sequences, capacity, CachePages.layout(dtype));
    }

    /**
     * An empty cache of a type: F32, F16, BF16 or, not on a GPU, Q8_0, of which head_dim and value_dim are multiples of 32, at
     * most 4096.
     *
     * @throws IllegalArgumentException if a value is out of its range
     */
    public static KvCache create(Engine engine, AttentionSpec spec, int sequences, int capacity, Layout type) {
        return Owner.create("kv cache", owner -> new KvCache(engine, spec, sequences, capacity, type, owner));
    }

    /** Such as {@code KvCache[4 sequences of 512 tokens, F16, 1048576 bytes]}. */
    @Override
    public String toString() {
        return "KvCache[" + sequences() + " sequences of " + capacity + " tokens, " + type + ", " + bytes() + " bytes]";
    }

    /** Sequences that it holds at most; they are numbered from 0. */
    public int sequences() {
        return length.length;
    }

    /** Whether it holds keys and values of the key/value heads, dims and RoPE of a spec. */
    public boolean fits(AttentionSpec spec) {
        return keys.size(1) == spec.kvHeads() && CachePages.dim(keys) == spec.headDim() && CachePages.dim(values) == spec.valueDim()
                && Objects.equals(rope, spec.rope());
    }

    /** Tokens that each sequence holds at most. */
    public int capacity() {
        return capacity;
    }

    /** Bytes of off-heap memory that it takes for keys and values. */
    public long bytes() {
        return keys.segment().byteSize() + values.segment().byteSize();
    }

    /**
     * Tokens that a sequence holds.
     *
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the cache is closed or in use by another thread
     */
    public int length(int sequence) {
        enter(sequence);
        try {
            return lengthOf(sequence);
        } finally {
            owner.exit();
        }
    }

    /**
     * Appends tokens to one sequence.
     *
     * @param k [tokens, kv_heads, head_dim], F32, F16 or BF16; not turned
     * @param v [tokens, kv_heads, value_dim], of the same type
     * @throws IllegalArgumentException if shapes do not fit, or the sequence has no room for them; it is as before then
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the cache is closed or in use by another thread
     */
    public void append(int sequence, Tensor k, Tensor v) {
        enter(sequence);
        try {
            if (k.rank() != 3) {
                throw new IllegalArgumentException(
                        "expected [tokens, kv_heads, head_dim], got shape " + k.shape() + " in k");
            }
            requireRoom(sequence, k.size(0));
            int tokens = (int) k.size(0);
            single.segment().setAtIndex(ValueLayout.JAVA_INT, 1, tokens);
            pages.reserve(sequence, lengthOf(sequence), tokens, copy);
            attention.cacheAppend(1, rope, k, v, single, length[sequence], pages.row(sequence), keys, values);
            setLength(sequence, lengthOf(sequence) + tokens);
        } finally {
            owner.exit();
        }
    }

    /**
     * Appends tokens to each sequence, all or none.
     *
     * @param k [tokens, kv_heads, head_dim] of all sequences one after the other, or
     *     [sequences, tokens, kv_heads, head_dim]
     * @param v likewise [tokens, kv_heads, value_dim]
     * @param tokenOffsets I32 [sequences + 1], beginning with 0 and not decreasing
     * @throws IllegalArgumentException if shapes do not fit, or a sequence has no room; all are as before then
     * @throws IllegalStateException if the cache is closed or in use by another thread
     */
    public void append(Tensor k, Tensor v, Tensor tokenOffsets) {
        owner.enterAlone();
        try {
            int count = sequences();
            requireShape(tokenOffsets, count);
            Tensor starts = newStarts.of("offsets", count + 1L, tokenOffsets);
            for (int s = 0; s < count; s++) {
                requireRoom(s, tokensOf(starts, s));
            }
            for (int s = 0; s < count; s++) {
                pages.reserve(s, lengthOf(s), tokensOf(starts, s), copy);
            }
            attention.cacheAppend(count, rope, k, v, starts, lengths, pages.table(), keys, values);
            for (int s = 0; s < count; s++) {
                setLength(s, lengthOf(s) + tokensOf(starts, s));
            }
        } finally {
            owner.exit();
        }
    }

    /**
     * Drops the tokens of a sequence from {@code newLength} on.
     *
     * @throws IllegalArgumentException if the sequence holds fewer tokens
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the cache is closed or in use by another thread
     */
    public void truncate(int sequence, int newLength) {
        enter(sequence);
        try {
            if (newLength < 0 || newLength > lengthOf(sequence)) {
                throw new IllegalArgumentException("expected a length of 0 to " + lengthOf(sequence)
                        + ", which sequence " + sequence + " holds, got " + newLength);
            }
            pages.release(sequence, newLength);
            setLength(sequence, newLength);
        } finally {
            owner.exit();
        }
    }

    /**
     * Makes sequence {@code to} a copy of {@code from}, in place of what it held. Both share their pages until one of
     * them writes to a shared page, which is copied then.
     *
     * @throws IndexOutOfBoundsException if there is no such sequence
     * @throws IllegalStateException if the cache is closed or in use by another thread
     */
    public void fork(int from, int to) {
        enter(from);
        try {
            Objects.checkIndex(to, sequences());
            if (from != to) {
                pages.share(from, to);
                setLength(to, lengthOf(from));
            }
        } finally {
            owner.exit();
        }
    }

    /** Drops all tokens of a sequence. See {@link #truncate}. */
    public void reset(int sequence) {
        truncate(sequence, 0);
    }

    /** Drops all tokens of all sequences. */
    public void reset() {
        for (int s = 0; s < sequences(); s++) {
            reset(s);
        }
    }

    /** Frees the memory, at once or when the call that uses it ends. Idempotent. */
    @Override
    public void close() {
        owner.close();
    }

    /** The pages of keys; see {@link CachePages}. */
    Tensor keys() {
        return keys;
    }

    /** The pages of values. */
    Tensor values() {
        return values;
    }

    /** Runs attention over what the sequences hold, while no one else uses the cache. */
    void attend(DirectAttention by, int count, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets,
            Tensor scratch) {
        if (!Objects.equals(spec.rope(), rope)) {
            throw new IllegalArgumentException(
                    "expected the RoPE that the keys of the cache were turned by, got another");
        }
        owner.enterAlone();
        try {
            by.attention(count, spec, operands, qOffsets, offsets, pages.table(), scratch);
        } finally {
            owner.exit();
        }
    }

    private void copyPage(int from, int to) {
        copyPage(keys, from, to);
        copyPage(values, from, to);
    }

    private static void copyPage(Tensor pages, int from, int to) {
        long bytes = pages.stride(0) * pages.dtype().bytes();
        MemorySegment.copy(pages.segment(), from * bytes, pages.segment(), to * bytes, bytes);
    }

    private void enter(int sequence) {
        Objects.checkIndex(sequence, sequences());
        owner.enterAlone();
    }

    private int lengthOf(int sequence) {
        return lengths.segment().getAtIndex(ValueLayout.JAVA_INT, sequence);
    }

    private void setLength(int sequence, int tokens) {
        lengths.segment().setAtIndex(ValueLayout.JAVA_INT, sequence, tokens);
        int end = offsets.segment().getAtIndex(ValueLayout.JAVA_INT, sequence);
        for (int s = sequence; s < sequences(); s++) {
            end += lengthOf(s);
            offsets.segment().setAtIndex(ValueLayout.JAVA_INT, s + 1, end);
        }
    }

    private void requireRoom(int sequence, long tokens) {
        if (tokens < 0) {
            throw new IllegalArgumentException(
                    "offsets must not decrease, got " + tokens + " tokens for sequence " + sequence);
        }
        if (tokens > capacity - lengthOf(sequence)) {
            throw new IllegalArgumentException("sequence " + sequence + " holds " + lengthOf(sequence)
                    + " tokens of a capacity of " + capacity + ", got " + tokens + " more");
        }
    }

    private static int tokensOf(Tensor offsets, int sequence) {
        return offsets.segment().getAtIndex(ValueLayout.JAVA_INT, sequence + 1)
                - offsets.segment().getAtIndex(ValueLayout.JAVA_INT, sequence);
    }

    private static void requireShape(Tensor offsets, int sequences) {
        if (offsets.dtype() != DType.I32 || offsets.rank() != 1 || offsets.size(0) != sequences + 1L) {
            throw new IllegalArgumentException("expected offsets I32[" + (sequences + 1) + "], got " + offsets);
        }
    }
}
