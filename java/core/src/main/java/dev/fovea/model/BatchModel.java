package dev.fovea.model;

import dev.fovea.Engine;
import java.util.List;

/**
 * A model as a queue sees it. Used by many threads at once.
 *
 * @param <R> what it makes of an input
 */
interface BatchModel<R> {
    /** What errors call it. */
    String name();

    /** What it runs on. */
    Engine engine();

    /** What becomes of each input, in order: the same bits in any company. */
    List<R> run(List<? extends EncoderInput<R>> inputs);
}
