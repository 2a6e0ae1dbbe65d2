package dev.fovea.graph;

import dev.fovea.ops.AttentionSpec;

/**
 * A place of a graph for the keys and values of one layer, in a {@link CacheGroup} that a session brings along. Comes
 * from {@link CacheGroup#slot}.
 *
 * @param index its place in {@link CacheGroup#specs()}
 * @param spec what it is made for: key/value heads, dims and RoPE
 */
public record CacheSlot(CacheGroup group, int index, AttentionSpec spec) {
    /** Such as {@code 1.0}: the group, then the place in it. */
    @Override
    public String toString() {
        return group.index() + "." + index;
    }
}
