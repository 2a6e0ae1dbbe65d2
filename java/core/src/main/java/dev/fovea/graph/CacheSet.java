package dev.fovea.graph;

import dev.fovea.Engine;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
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
    private final CacheStore store;
    private final Owner owner;

    private CacheSet(CacheStore store, Owner owner) {
        this.store = store;
        this.owner = owner;
    }

    /** An empty set in F32; see {@link #create(Engine, List, int, int, DType)}. */
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
     * @param dtype what keys and values are kept as: F32, F16 or BF16
     * @throws IllegalArgumentException if a value is out of its range
     * @throws OutOfMemoryError if the device has not as much memory
     */
    public static CacheSet create(Engine engine, List<AttentionSpec> layers, int sequences, int capacity,
            DType dtype) {
        return Owner.create("cache set", owner ->
                new CacheSet(new CacheStore(Device.of(engine), owner, layers, sequences, capacity, dtype), owner));
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

    /** Drops all tokens of a sequence. See {@link #truncate}. */
    public void reset(int sequence) {
        truncate(sequence, 0);
    }

    /** Drops all tokens of all sequences. */
    public void reset() {
        owner.enterAlone();
        try {
            for (int s = 0; s < sequences(); s++) {
                store.truncate(s, 0);
            }
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
                + store.dtype() + ", " + bytes() + " bytes]";
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
