package dev.fovea.internal.text;

import java.util.List;

/** A part of a regular expression. */
sealed interface PatternNode {
    /** What all code points of a set match. */
    record One(CharacterSet set) implements PatternNode {}

    /** One after the other. */
    record Sequence(List<PatternNode> nodes) implements PatternNode {}

    /** The first of them with which the rest matches. */
    record Choice(List<PatternNode> nodes) implements PatternNode {}

    /**
     * The same again and again.
     *
     * @param most −1 for any number
     */
    record Repeat(PatternNode node, int least, int most, Greed greed) implements PatternNode {}

    /** What matches, once and for all. */
    record Atomic(PatternNode node) implements PatternNode {}

    /** A condition on what is ahead or behind. */
    record Look(PatternNode node, boolean behind, boolean negated) implements PatternNode {}

    /** A place. */
    record Place(Kind kind) implements PatternNode {}

    /** Places. */
    enum Kind { BEGIN, END, END_OR_FINAL_NEWLINE, LINE_BEGIN, LINE_END, WORD_BORDER, NO_WORD_BORDER }

    /** How a repetition chooses. */
    enum Greed { GREEDY, LAZY, POSSESSIVE }

    /** The fewest and the most code points that match; −1 for any number. */
    default int[] length() {
        return switch (this) {
            case One _ -> new int[] {1, 1};
            case Atomic(PatternNode node) -> node.length();
            case Look _, Place _ -> new int[] {0, 0};
            case Repeat(PatternNode node, int least, int most, Greed _) -> {
                int[] one = node.length();
                yield new int[] {product(one[0], least), most < 0 || one[1] < 0 ? -1 : product(one[1], most)};
            }
            case Sequence(List<PatternNode> nodes) -> {
                int[] sum = {0, 0};
                for (PatternNode node : nodes) {
                    int[] one = node.length();
                    sum[0] = Math.min(sum[0] + one[0], LONG);
                    sum[1] = sum[1] < 0 || one[1] < 0 ? -1 : Math.min(sum[1] + one[1], LONG);
                }
                yield sum;
            }
            case Choice(List<PatternNode> nodes) -> {
                int[] both = nodes.getFirst().length();
                for (PatternNode node : nodes) {
                    int[] one = node.length();
                    both[0] = Math.min(both[0], one[0]);
                    both[1] = both[1] < 0 || one[1] < 0 ? -1 : Math.max(both[1], one[1]);
                }
                yield both;
            }
        };
    }

    /** More than anyone asks for. */
    int LONG = 1 << 20;

    private static int product(int one, int times) {
        return (int) Math.min((long) one * times, LONG);
    }
}
