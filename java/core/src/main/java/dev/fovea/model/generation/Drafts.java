package dev.fovea.model.generation;

/**
 * Guesses what follows. The model checks the guesses, several in one run, and goes on behind the first wrong one: so they
 * change how fast an answer is written, and nothing of it. Leviathan et al., arXiv:2211.17192.
 */
abstract sealed class Drafts implements AutoCloseable permits PromptLookup, DraftModel {
    /** Guesses for those of the slots that write: sets their drafts, of which there are none before. */
    abstract void propose(Slot[] slots, int count);

    /** A request has come to the slot. */
    abstract void begin(Slot slot);

    /** The request of the slot is about to leave it. */
    abstract void end(Slot slot);

    @Override
    public abstract void close();

    /** How many guesses are of use behind what a slot's request has. */
    static int most(Slot slot) {
        return slot.writes() ? Math.min(slot.draftLimit, slot.request.most() - slot.request.written() - 1) : 0;
    }
}
