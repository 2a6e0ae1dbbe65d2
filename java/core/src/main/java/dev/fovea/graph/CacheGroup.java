package dev.fovea.graph;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;

/**
 * Caches of a graph that hold the same tokens, one for each layer that remembers: a run appends to all of them or to
 * none. A session brings a {@link CacheSet} for each group. Comes from {@link Graph.Builder#caches}.
 */
public final class CacheGroup {
    private final int index;
    private final List<AttentionSpec> specs = new ArrayList<>();
    private boolean built;

    CacheGroup(int index) {
        this.index = index;
    }

    /**
     * A place for one more layer, of the key/value heads, dims and RoPE of {@code spec}.
     *
     * @throws IllegalStateException if the graph is built
     */
    public CacheSlot slot(AttentionSpec spec) {
        if (built) {
            throw new IllegalStateException("the graph of cache " + index + " is built, it takes no more layers");
        }
        specs.add(Objects.requireNonNull(spec, "spec"));
        return new CacheSlot(this, specs.size() - 1, spec);
    }

    /** Requires that ops append to all of its slots or to none, and ends its growth. */
    void requireWhole(List<Op> ops) {
        boolean[] filled = new boolean[specs.size()];
        int count = 0;
        for (Op op : ops) {
            CacheSlot slot = slotOf(op);
            if (slot != null && slot.group() == this && !(op instanceof Op.Attention attention && attention.k() == null)) {
                filled[slot.index()] = true;
                count++;
            }
        }
        for (int i = 0; count > 0 && i < filled.length; i++) {
            if (!filled[i]) {
                throw new IllegalArgumentException("nothing appends to layer " + i + " of cache " + index
                        + ", but to " + count + " of its " + filled.length + " layers");
            }
        }
        built = true;
    }

    /** The cache that an op reads or appends to, or null. */
    static CacheSlot slotOf(Op op) {
        return switch (op) {
            case Op.Attention attention -> attention.cache();
            case Op.Append append -> append.cache();
            default -> null;
        };
    }

    /** Its place in {@link Graph#caches()}. */
    public int index() {
        return index;
    }

    /** What its layers are made for, in the order of their slots. */
    public List<AttentionSpec> specs() {
        return Collections.unmodifiableList(specs);
    }

    /** An empty set of caches for this group, in F32; see {@link CacheSet#create(Engine, List, int, int)}. */
    public CacheSet create(Engine engine, int sequences, int capacity) {
        return CacheSet.create(engine, specs, sequences, capacity);
    }
}
