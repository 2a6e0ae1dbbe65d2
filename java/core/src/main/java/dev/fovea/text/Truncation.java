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
     * Tokens that stay of the first text, as the Hugging Face library cuts them; of the second, all stay that there is
     * room for then.
     *
     * @param room for tokens of both
     * @throws IllegalArgumentException if the text that is cut has too few tokens
     */
    int keepFirst(int first, int second, int room) {
        int surplus = first + second - room;
        if (surplus <= 0) {
            return first;
        }
        return switch (this) {
            case ONLY_FIRST -> cut(first, surplus, "first");
            case ONLY_SECOND -> {
                cut(second, surplus, "second");
                yield first;
            }
            case LONGEST_FIRST -> {
                int shorter = Math.min(Math.min(first, second), room / 2);
                yield first > second ? room - shorter : shorter;
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
