package dev.fovea.graph;

import dev.fovea.internal.kernels.Kernels;

/** A stage bound to the tensors of one workspace. */
@FunctionalInterface
interface Call {
    /** Runs it on the first rows of its tensors. Allocates nothing. */
    void run(Kernels kernels, int tokens, int sequences);
}
