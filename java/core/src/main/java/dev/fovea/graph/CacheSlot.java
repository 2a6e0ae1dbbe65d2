package dev.fovea.graph;

import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.KvCache;

/**
 * A place of a graph for a {@link KvCache}, which a session brings along: the keys and values of tokens that it has not
 * computed in this run. Comes from {@link Graph.Builder#cache}.
 *
 * @param index its place in {@link Graph#caches()}
 * @param spec what its cache is to be made for: key/value heads, dims and RoPE
 */
public record CacheSlot(int index, AttentionSpec spec) {}
