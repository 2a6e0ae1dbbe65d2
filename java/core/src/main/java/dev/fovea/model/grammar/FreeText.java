package dev.fovea.model.grammar;

/** Any text without a mark, or up to and with the first. The first character of a mark stands in no other place of it. */
final class FreeText {
    private FreeText() {}

    /** Any text in which the mark is not; it may end with the begin of one. */
    static Expression without(String mark) {
        if (mark.length() < 2 || mark.indexOf(mark.charAt(0), 1) > 0) {
            throw new IllegalArgumentException("expected a mark whose first character stands in no other place of it, got '" + mark + "'");
        }
        Expression rest = goesOn(mark, mark.length() - 1);
        for (int i = mark.length() - 2; i > 0; i--) {
            String next = mark.substring(i, i + 1);
            rest = Expression.choice(goesOn(mark, i), Expression.sequence(Expression.literal(next), rest));
        }
        String begin = mark.substring(0, 1);
        return Expression.sequence(except(begin).times(0, -1), Expression.sequence(Expression.literal(begin), rest).times(0, -1));
    }

    /** Any text, and the first mark behind it. */
    static Expression through(String mark) {
        return Expression.sequence(without(mark), Expression.literal(mark));
    }

    /** What may stand behind the first characters of a mark, up to the next begin of one, if the mark does not go on. */
    private static Expression goesOn(String mark, int characters) {
        String begin = mark.substring(0, 1);
        return Expression.sequence(except(begin + mark.charAt(characters)), except(begin).times(0, -1)).optional();
    }

    private static Expression except(String characters) {
        return except(CodePoints.of(characters));
    }

    /** One character that is none of these. */
    static Expression except(CodePoints characters) {
        return new Expression.Characters(characters.complement());
    }
}
