package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.characters;
import static dev.fovea.model.grammar.Expression.choice;
import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import java.util.ArrayList;
import java.util.List;

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
        int last = answer.rules().size();
        List<Grammar.Rule> rules = new ArrayList<>();
        for (Grammar.Rule rule : answer.rules()) {
            // What was the first rule is the last one now.
            rules.add(new Grammar.Rule(rule.name(), rule.expression().withCalls(number -> number == 0 ? last : number), rule.shared()));
        }
        Expression form = new Expression.Call(last);
        Expression behind = sequence(throughEnd(), characters(" \n\r\t").times(0, MOST_SPACE), form);
        rules.add(rules.getFirst());
        rules.set(0, new Grammar.Rule("#thoughts", open ? behind : choice(sequence(literal(BEGIN), behind), form), true));
        return new Grammar(rules);
    }

    /** Any text without {@link #END}, and that. Its first character stands in no other place of it. */
    private static Expression throughEnd() {
        Expression rest = goesOn(END.substring(END.length() - 1));
        for (int i = END.length() - 2; i > 0; i--) {
            String next = END.substring(i, i + 1);
            rest = choice(goesOn(next), sequence(literal(next), rest));
        }
        Expression others = except(END.substring(0, 1)).times(0, -1);
        return sequence(others, sequence(literal(END.substring(0, 1)), rest).times(0, -1), literal(END));
    }

    /** What may stand up to the next beginning of the mark, if it does not go on with this character here. */
    private static Expression goesOn(String next) {
        String begin = END.substring(0, 1);
        return sequence(except(begin + next), except(begin).times(0, -1)).optional();
    }

    private static Expression except(String characters) {
        return new Expression.Characters(CodePoints.of(characters).complement());
    }
}
