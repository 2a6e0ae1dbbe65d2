package dev.fovea.model.grammar;

import dev.fovea.model.grammar.Expression.Both;
import dev.fovea.model.grammar.Expression.Call;
import dev.fovea.model.grammar.Expression.Characters;
import dev.fovea.model.grammar.Expression.Choice;
import dev.fovea.model.grammar.Expression.Except;
import dev.fovea.model.grammar.Expression.Literal;
import dev.fovea.model.grammar.Expression.Member;
import dev.fovea.model.grammar.Expression.Members;
import dev.fovea.model.grammar.Expression.Repeat;
import dev.fovea.model.grammar.Expression.Sequence;
import java.util.BitSet;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Makes an automaton of a grammar. Time and memory are bounded, whoever wrote the grammar: sets of states are numbered only
 * as far as that is not much more work than the states are.
 */
final class GrammarCompiler {
    /** What a rule may have of states that is put in the place of its calls. */
    private static final long MOST_INLINED = 64;
    private static final long MOST_WORK = 1 << 22;

    private final List<Grammar.Rule> rules;
    private final BitSet inlined = new BitSet();

    private GrammarCompiler(Grammar grammar) {
        this.rules = grammar.rules();
    }

    /**
     * The automaton of a grammar.
     *
     * @throws IllegalArgumentException if it is too large, or there is no text that it matches
     */
    static Automaton compile(Grammar grammar) {
        return new GrammarCompiler(grammar).compile();
    }

    private Automaton compile() {
        chooseInlined();
        var nfa = new Nfa();
        var builder = new NfaBuilder(nfa, rules, inlined);
        int[] begins = new int[rules.size() + 1];
        int[] ends = new int[rules.size()];
        for (int rule = 0; rule < ends.length; rule++) {
            begins[rule] = nfa.newState();
            if (!inlined.get(rule)) {
                ends[rule] = builder.append(rules.get(rule).expression(), begins[rule]);
            }
        }
        begins[ends.length] = nfa.states();
        var subsets = new Subsets(nfa);
        for (int rule = 0; rule < ends.length; rule++) {
            loopTailCalls(nfa, subsets, rule, begins, ends[rule]);
        }
        Automaton automaton = write(nfa, subsets, begins, ends);
        if (!automaton.matchesSomething()) {
            throw new IllegalArgumentException("the format matches no text: whatever is written, more must follow");
        }
        return automaton;
    }

    private Automaton write(Nfa nfa, Subsets subsets, int[] begins, int[] ends) {
        int[] classes = nfa.classes();
        var table = new StateTable(classes[256]);
        int[] starts = new int[ends.length];
        for (int rule = 0; rule < ends.length; rule++) {
            starts[rule] = table.size();
            int calls = table.calls();
            if (inlined.get(rule)) {
                table.add(rule); // nobody calls it
            } else if (!subsets.write(begins[rule], ends[rule], classes, table, rule, MOST_WORK)) {
                table.truncate(starts[rule], calls);
                subsets.writePlain(begins[rule], ends[rule], classes, table, rule);
            }
        }
        return table.finish(starts, classes);
    }

    /** Rules that end in a call of themselves go back to their begin: else each turn would have a place of its own. */
    private static void loopTailCalls(Nfa nfa, Subsets subsets, int rule, int[] begins, int end) {
        for (int state = begins[rule]; state < begins[rule + 1]; state++) {
            for (int edge = nfa.first(state); edge >= 0; edge = nfa.next(edge)) {
                if (nfa.kind(edge) == Nfa.CALL && nfa.rule(edge) == rule && subsets.isEnd(nfa.target(edge), end)) {
                    nfa.replaceCall(edge, begins[rule]);
                }
            }
        }
    }

    /** Small rules that call none but such that are decided before them: none of a circle. */
    private void chooseInlined() {
        BitSet decided = new BitSet();
        boolean changed = true;
        for (boolean back = true; changed; back = !back) {
            changed = false;
            for (int i = 1; i < rules.size(); i++) {
                int rule = back ? rules.size() - i : i;
                if (!decided.get(rule) && callsOnly(decided, rules.get(rule).expression())) {
                    decided.set(rule);
                    inlined.set(rule, !rules.get(rule).shared() && size(rules.get(rule).expression()) <= MOST_INLINED);
                    changed = true;
                }
            }
        }
    }

    private static boolean callsOnly(BitSet some, Expression expression) {
        boolean[] only = {true};
        forEachCall(expression, rule -> only[0] &= some.get(rule));
        return only[0];
    }

    private static void forEachCall(Expression expression, IntConsumer consumer) {
        switch (expression) {
            case Call(int rule) -> consumer.accept(rule);
            case Sequence(List<Expression> parts) -> parts.forEach(part -> forEachCall(part, consumer));
            case Choice(List<Expression> parts) -> parts.forEach(part -> forEachCall(part, consumer));
            case Repeat(Expression part, int _, int _) -> forEachCall(part, consumer);
            case Members(List<Member> members, Expression separator) -> {
                members.forEach(member -> forEachCall(member.expression(), consumer));
                forEachCall(separator, consumer);
            }
            case Literal _, Characters _, Both _, Except _ -> {
                // These have none.
            }
        }
    }

    /** About how many states an expression has, calls of rules that are put in their places counted. */
    private long size(Expression expression) {
        return switch (expression) {
            case Literal(String text) -> text.length();
            case Characters(CodePoints set) -> set.ranges().size() < 8 ? 4 : set.ranges().size();
            case Sequence(List<Expression> parts) -> sum(parts);
            case Choice(List<Expression> parts) -> sum(parts) + 2L * parts.size();
            case Repeat(Expression part, int least, int most) ->
                Math.min(MOST_INLINED + 1, size(part)) * Math.max(1, Math.max(least, most)) + 2;
            case Call(int rule) -> inlined.get(rule) ? size(rules.get(rule).expression()) : 1;
            case Members _, Both _, Except _ -> MOST_INLINED + 1;
        };
    }

    private long sum(List<Expression> parts) {
        long sum = 0;
        for (Expression part : parts) {
            sum += size(part);
            if (sum > MOST_INLINED) {
                return sum;
            }
        }
        return sum;
    }
}
