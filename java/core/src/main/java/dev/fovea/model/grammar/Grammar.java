package dev.fovea.model.grammar;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

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
    record Rule(String name, Expression expression, boolean shared) {
        private Rule moved(int by) {
            return new Rule(name, expression.withCalls(number -> number + by), shared);
        }
    }

    /** One rule. */
    static Grammar of(Expression expression) {
        return new Grammar(List.of(new Rule("root", expression, true)));
    }

    /** What one of two grammars says. */
    static Grammar either(Grammar one, Grammar other) {
        List<Rule> rules = new ArrayList<>();
        int first = 1, second = first + one.rules.size();
        rules.add(new Rule("#either", Expression.choice(new Expression.Call(first), new Expression.Call(second)), true));
        one.rules.forEach(rule -> rules.add(rule.moved(first)));
        other.rules.forEach(rule -> rules.add(rule.moved(second)));
        return new Grammar(rules);
    }

    /** What stands around the texts of a grammar. */
    static Grammar around(Grammar inner, UnaryOperator<Expression> outer) {
        List<Rule> rules = new ArrayList<>();
        rules.add(new Rule("#around", outer.apply(new Expression.Call(1)), true));
        inner.rules.forEach(rule -> rules.add(rule.moved(1)));
        return new Grammar(rules);
    }
}
