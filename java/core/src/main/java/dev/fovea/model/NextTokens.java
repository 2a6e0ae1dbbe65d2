package dev.fovea.model;

import java.util.List;

/** Sequences that grow token by token, and what a model thinks comes next. */
interface NextTokens {
    /**
     * Appends tokens to sequences, none to those whose array is empty.
     *
     * @param tokens one array per sequence
     */
    void append(List<int[]> tokens);

    /** The logits of the token that follows a sequence to which the last {@link #append} has appended, [vocabulary]. */
    float[] logits(int sequence);

    /** Makes a sequence a copy of another. */
    void fork(int from, int to);
}
