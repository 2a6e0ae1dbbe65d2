package dev.fovea.internal.backend;

import dev.fovea.ops.Rows;
import dev.fovea.tensor.WeightStorage;
import java.util.List;

/**
 * A graph as a backend compiles it: steps in the order of their running, and where all they touch lies.
 *
 * @param steps what to do
 * @param weights what weights of linear layers are kept as, those of one product alike
 * @param outputs what the caller reads, in buffers of their own with dense rows
 * @param tokenElements elements of 4 bytes that an execution needs per token of its capacity
 * @param sequenceElements likewise per sequence
 * @param limits what a batch may hold
 */
public record LoweredPlan(List<Step> steps, WeightStorage weights, List<Operand> outputs, long tokenElements,
        long sequenceElements, BatchLimits limits) {
    /**
     * Bytes of one region of an execution's memory.
     *
     * @throws IllegalArgumentException if they exceed the address space
     */
    public long regionBytes(Rows rows, int maxTokens, int maxSequences) {
        long elements = rows == Rows.TOKENS ? tokenElements : sequenceElements;
        try {
            long all = Math.multiplyExact(elements, (long) rows.count(maxTokens, maxSequences));
            return Math.multiplyExact(all, (long) Float.BYTES);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a workspace for " + maxTokens + " tokens and " + maxSequences
                    + " sequences exceeds the address space", e);
        }
    }

    /** Whether a run appends to the caches of a group. */
    public boolean appendsTo(int group) {
        for (Step step : steps) {
            if (step instanceof Step.Append append && append.cache().group() == group) {
                return true;
            }
        }
        return false;
    }

    /**
     * The caches whose lengths are the positions of a batch's first tokens: of those that a run appends to, the first.
     *
     * @param caches one for each group
     * @return null if a run appends to none
     */
    public CacheStore positions(List<CacheStore> caches) {
        int group = positionsGroup(caches.size());
        return group < 0 ? null : caches.get(group);
    }

    /** Their group, of so many; −1 if a run appends to none. */
    public int positionsGroup(int groups) {
        for (int group = 0; group < groups; group++) {
            if (appendsTo(group)) {
                return group;
            }
        }
        return -1;
    }
}
