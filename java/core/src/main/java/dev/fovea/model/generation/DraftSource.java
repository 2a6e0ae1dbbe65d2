package dev.fovea.model.generation;

import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;

/** Where a {@link Scheduler} has guesses from. */
public sealed interface DraftSource {
    /** Nothing is guessed. */
    record None() implements DraftSource {}

    /** That the text repeats itself. */
    record Repetition() implements DraftSource {}

    /**
     * What another model takes for likeliest.
     *
     * @param plan of which the logits behind the last tokens are the first output, of the same vocabulary; it takes spans
     * @param cache has as many sequences as the scheduler's; the scheduler closes it
     */
    record Model(Plan plan, CacheSet cache) implements DraftSource {}
}
