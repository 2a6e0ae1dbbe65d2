package dev.fovea.model;

import dev.fovea.graph.Plan;
import dev.fovea.weights.Weights;

/**
 * What a model takes now of memory off the Java heap, in bytes: of the device's, which on a CPU is the process's.
 *
 * @param weights weights as the device keeps them, packed or copied
 * @param mapped files that are mapped, or kept in memory where no cache can be used. Pages of a mapped file belong to the
 *     system, which takes them back when it needs memory.
 * @param workspaces what the model's sessions work in: those that are open, and idle ones that calls share
 * @param caches keys and values of sequences that grow; 0 for encoders
 */
public record MemoryUse(long weights, long mapped, long workspaces, long caches) {
    /** What the model takes that nobody else could use meanwhile: all but what is mapped. */
    public long taken() {
        return weights + workspaces + caches;
    }

    static MemoryUse of(Plan plan, Weights file) {
        return new MemoryUse(plan.bytes(), file.mappedBytes(), plan.sessionBytes(), plan.cacheBytes());
    }

    /** This, and what another plan of the same file takes. */
    MemoryUse with(Plan plan) {
        return new MemoryUse(weights + plan.bytes(), mapped, workspaces + plan.sessionBytes(), caches + plan.cacheBytes());
    }

    /** This, and what another model takes. */
    MemoryUse and(MemoryUse other) {
        return new MemoryUse(weights + other.weights, mapped + other.mapped, workspaces + other.workspaces,
                caches + other.caches);
    }
}
