package dev.fovea.text;

/** What is cut where a text or a pair has too many tokens; ends are cut. The names are those of Hugging Face. */
public enum Truncation {
    /** Of a pair the longer text, until both are equally long, then both in turn. */
    LONGEST_FIRST,
    /** The first text alone. */
    ONLY_FIRST,
    /** The second text alone, such as the document behind a query. */
    ONLY_SECOND;

    /**
     * Tokens that stay of each text, as the Hugging Face library cuts them.
     *
     * @param room for tokens of both
     * @throws IllegalArgumentException if the text that is cut has too few tokens
     */
    int[] keep(int first, int second, int room) {
        if (first + second <= room) {
            return new int[] {first, second};
        }
        int surplus = first + second - room;
        return switch (this) {
            case ONLY_FIRST -> new int[] {cut(first, surplus, "first"), second};
            case ONLY_SECOND -> new int[] {first, cut(second, surplus, "second")};
            case LONGEST_FIRST -> {
                int shorter = Math.min(first, second);
                int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
                if (shorter + longer > room) {
                    shorter = room / 2;
                    longer = shorter + room % 2;
                }
                yield first > second ? new int[] {longer, shorter} : new int[] {shorter, longer};
            }
        };
    }

    private static int cut(int tokens, int surplus, String which) {
        if (tokens <= surplus) {
            throw new IllegalArgumentException("expected a " + which + " text of more than " + surplus
                    + " tokens, which are too many, got " + tokens);
        }
        return tokens - surplus;
    }
}
