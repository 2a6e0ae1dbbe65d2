package dev.fovea.model.generation;

import java.util.List;

/** Sequences that grow token by token, and what a model thinks comes next. */
public interface NextTokens {
    /**
     * Appends tokens to sequences, none to those whose array is empty.
     *
     * @param tokens one array per sequence
     */
    void append(List<int[]> tokens);

    /** How many of the likeliest tokens it names; twice the beams of a search, or the whole vocabulary. */
    int candidates();

    /**
     * The token of a rank among those that may follow a sequence to which the last {@link #append} has appended.
     *
     * @param rank 0 for the likeliest; of equals, the lower token comes first
     */
    int token(int sequence, int rank);

    /** The logarithm of that token's probability. */
    double logProbability(int sequence, int rank);

    /** Makes a sequence a copy of another. */
    void fork(int from, int to);
}
