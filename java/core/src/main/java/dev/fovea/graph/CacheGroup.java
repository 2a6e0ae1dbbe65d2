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

    CacheGroup(int index) {
        this.index = index;
    }

    /** A place for one more layer, of the key/value heads, dims and RoPE of {@code spec}. */
    public CacheSlot slot(AttentionSpec spec) {
        specs.add(Objects.requireNonNull(spec, "spec"));
        return new CacheSlot(this, specs.size() - 1, spec);
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
