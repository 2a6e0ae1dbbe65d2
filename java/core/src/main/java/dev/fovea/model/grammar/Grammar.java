package dev.fovea.model.grammar;

import java.util.List;

/**
 * Rules that texts follow, the first of them as a whole.
 *
 * @param rules that call each other by their numbers
 */
record Grammar(List<Rule> rules) {
    Grammar {
        rules = List.copyOf(rules);
    }

    /**
     * A rule.
     *
     * @param shared whether it stays a rule of its own: it is called from many places, and what it matches is longer than
     *     most tokens. Others are put in the place of calls where that is possible.
     */
    record Rule(String name, Expression expression, boolean shared) {}

    /** One rule. */
    static Grammar of(Expression expression) {
        return new Grammar(List.of(new Rule("root", expression, true)));
    }
}
