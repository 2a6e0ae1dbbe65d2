package dev.fovea.model.generation;

/** A place in the batch: a sequence of the caches, and the request that has it. Only who leads touches it. */
final class Slot {
    final int index;
    /** Proposed tokens that a run checks. */
    final int[] drafts;
    int draftCount;
    /** How many are worth the trouble: fewer after wrong ones, more after right ones. */
    int draftLimit;
    /** Null until somebody comes. */
    Sampler sampler;
    /** Null while it is free. */
    TokenRequest request;
    /** Tokens of prompt and answer. */
    int known;
    /** How many of them the caches hold. */
    int held;
    /** Tokens in this run, drafts included. */
    int count;
    /** Rows of logits in this run, and the first of them. */
    int rows;
    int firstRow;
    /** Whether the prompt's pages are kept. */
    boolean kept;

    Slot(int index, int mostDrafts) {
        this.index = index;
        this.drafts = new int[mostDrafts];
    }

    /** Tokens that the caches do not hold yet. */
    int missing() {
        return known - held;
    }

    /** Whether it writes; else it reads. */
    boolean writes() {
        return missing() == 1;
    }
}
