package dev.fovea.internal.host;

import dev.fovea.internal.backend.Batch;

/** A step bound to the tensors of one workspace. */
@FunctionalInterface
interface Call {
    /** Runs it on the first rows of its tensors. Allocates nothing. */
    void run(Batch batch);
}
