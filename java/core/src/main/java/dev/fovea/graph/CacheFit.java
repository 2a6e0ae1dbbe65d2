package dev.fovea.graph;

import dev.fovea.internal.backend.Batch;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.AttentionSpec;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** That cache sets fit a graph, and a batch what they hold. */
final class CacheFit {
    private CacheFit() {}

    static void require(int group, List<AttentionSpec> wanted, List<AttentionSpec> given) {
        if (wanted.size() != given.size()) {
            throw new IllegalArgumentException("cache " + group + " has " + given.size() + " layers, the graph "
                    + wanted.size());
        }
        for (int i = 0; i < wanted.size(); i++) {
            if (!fits(wanted.get(i), given.get(i))) {
                throw new IllegalArgumentException("layer " + i + " of cache " + group + " is not made for "
                        + wanted.get(i));
            }
        }
    }

    /** The attentions that turn queries by RoPE but read a cache that the run does not fill. */
    static List<Step.Attention> turned(LoweredPlan plan) {
        List<Step.Attention> turned = new ArrayList<>();
        for (Step step : plan.steps()) {
            if (step instanceof Step.Attention attention && attention.cache() != null && attention.spec().rope() != null
                    && !plan.appendsTo(attention.cache().group())) {
                turned.add(attention);
            }
        }
        return turned;
    }

    /**
     * Requires that every query has a position in RoPE's table. Where queries continue the keys, they are no more than
     * these.
     */
    static void requirePositions(AttentionSpec spec, Batch batch, CacheStore cache) {
        int positions = spec.rope().positions();
        for (int s = 0; s < batch.sequences(); s++) {
            int queries = batch.length(s);
            int first = spec.mask().diagonal(0, queries, cache.length(s));
            if (queries > 0 && (first < 0 || first + queries > positions)) {
                throw new IllegalArgumentException("sequence " + s + ": expected positions 0 to " + (positions - 1)
                        + " of RoPE, got " + first + " to " + (first + queries - 1) + " for " + queries
                        + " queries and " + cache.length(s) + " keys");
            }
        }
    }

    private static boolean fits(AttentionSpec wanted, AttentionSpec given) {
        return wanted.kvHeads() == given.kvHeads() && wanted.headDim() == given.headDim()
                && wanted.valueDim() == given.valueDim() && Objects.equals(wanted.rope(), given.rope());
    }
}
