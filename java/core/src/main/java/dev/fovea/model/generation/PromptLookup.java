package dev.fovea.model.generation;

/**
 * Guesses that a text goes on as it did where its last tokens stood before: Saxena, "Prompt Lookup Decoding", 2023. Costs
 * next to nothing, and is right where an answer repeats what it is about.
 */
final class PromptLookup extends Drafts {
    /** Tokens that must be the same. */
    private static final int LEAST = 2;
    /** More need not be. */
    private static final int ENOUGH = 8;

    @Override
    void propose(Slot[] slots, int count) {
        for (int i = 0; i < count; i++) {
            propose(slots[i]);
        }
    }

    private static void propose(Slot slot) {
        int most = most(slot);
        int[] tokens = slot.request.tokens();
        int end = slot.known;
        int best = -1;
        int longest = LEAST - 1;
        // The last place of those with the most tokens in common.
        for (int at = end - 1; most > 0 && at > longest && longest < ENOUGH; at--) {
            int same = 0;
            while (same < ENOUGH && same < at && tokens[at - 1 - same] == tokens[end - 1 - same]) {
                same++;
            }
            if (same > longest) {
                longest = same;
                best = at;
            }
        }
        if (best >= 0) {
            slot.draftCount = most;
            for (int i = 0; i < most; i++) { // past the end: as the guesses begin, which repeats what repeats
                slot.drafts[i] = best + i < end ? tokens[best + i] : slot.drafts[best + i - end];
            }
        }
    }

    @Override
    void begin(Slot slot) {}

    @Override
    void end(Slot slot) {}

    @Override
    public void close() {}
}
