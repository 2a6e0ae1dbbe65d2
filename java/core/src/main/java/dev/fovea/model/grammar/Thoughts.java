package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.characters;
import static dev.fovea.model.grammar.Expression.choice;
import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

/** What a model thinks before it answers: any text between two marks, with white space behind the second one. */
public final class Thoughts {
    /** What thoughts begin with. */
    public static final String BEGIN = "<think>";
    /** What they end with; it is not within them. */
    public static final String END = "</think>";

    private static final int MOST_SPACE = 4;

    private Thoughts() {}

    /**
     * Thoughts, and then what a grammar says.
     *
     * @param open whether they have begun already; else they may be left out
     */
    static Grammar before(Grammar answer, boolean open) {
        return Grammar.around(answer, form -> {
            Expression behind = sequence(FreeText.through(END), characters(" \n\r\t").times(0, MOST_SPACE), form);
            return open ? behind : choice(sequence(literal(BEGIN), behind), form);
        });
    }
}
