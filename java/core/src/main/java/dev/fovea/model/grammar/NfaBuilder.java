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
import java.nio.charset.StandardCharsets;
import java.util.BitSet;
import java.util.List;

/** Expressions as states and edges of bytes: Thompson, Regular Expression Search Algorithm, CACM 1968. */
final class NfaBuilder {
    private final Nfa nfa;
    private final List<Grammar.Rule> rules;
    /** Rules that are put in the place of calls. */
    private final BitSet inlined;

    NfaBuilder(Nfa nfa, List<Grammar.Rule> rules, BitSet inlined) {
        this.nfa = nfa;
        this.rules = rules;
        this.inlined = inlined;
    }

    /** Appends an expression to a state; where it ends. */
    int append(Expression expression, int from) {
        return switch (expression) {
            case Literal(String text) -> literal(text, from);
            case Characters(CodePoints set) -> characters(set, from);
            case Sequence(List<Expression> parts) -> {
                int at = from;
                for (Expression part : parts) {
                    at = append(part, at);
                }
                yield at;
            }
            case Choice(List<Expression> parts) -> choice(parts, from);
            case Repeat repeat -> repeat(repeat, from);
            case Call(int rule) when inlined.get(rule) -> append(rules.get(rule).expression(), from);
            case Call(int rule) -> {
                int to = nfa.newState();
                nfa.call(from, rule, to);
                yield to;
            }
            case Members members -> members(members, from);
            case Both(Expression one, Expression other) -> Dfa.of(one).and(Dfa.of(other), false).appendTo(nfa, from);
            case Except(Expression all, Expression not) -> Dfa.of(all).and(Dfa.of(not), true).appendTo(nfa, from);
        };
    }

    private int literal(String text, int from) {
        int at = from;
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            int to = nfa.newState();
            nfa.bytes(at, b & 0xff, b & 0xff, to);
            at = to;
        }
        return at;
    }

    private int characters(CodePoints set, int from) {
        int to = nfa.newState();
        var ranges = new Utf8Ranges(nfa, from, to);
        for (int i = 0; i < set.ranges().size(); i += 2) {
            ranges.add(set.ranges().get(i), set.ranges().get(i + 1));
        }
        return to;
    }

    private int choice(List<Expression> parts, int from) {
        int to = nfa.newState();
        for (Expression part : parts) {
            // A state of its own: a part may come back to where it begins.
            int begin = nfa.newState();
            nfa.nothing(from, begin);
            nfa.nothing(append(part, begin), to);
        }
        return to;
    }

    private int repeat(Repeat repeat, int from) {
        int at = from;
        for (int i = 0; i < repeat.least(); i++) {
            at = append(repeat.part(), at);
        }
        if (repeat.most() < 0) {
            int loop = nfa.newState();
            nfa.nothing(at, loop);
            nfa.nothing(append(repeat.part(), loop), loop);
            int to = nfa.newState();
            nfa.nothing(loop, to);
            return to;
        }
        int to = nfa.newState();
        for (int i = repeat.least(); i < repeat.most(); i++) {
            nfa.nothing(at, to);
            int begin = nfa.newState();
            nfa.nothing(at, begin);
            at = append(repeat.part(), begin);
        }
        nfa.nothing(at, to);
        return to;
    }

    /** Two rows of states: nothing was there yet, or something was. */
    private int members(Members members, int from) {
        int none = nfa.newState();
        nfa.nothing(from, none);
        int some = nfa.newState();
        for (Member member : members.members()) {
            int nextNone = nfa.newState();
            int nextSome = nfa.newState();
            int first = nfa.newState();
            nfa.nothing(none, first);
            nfa.nothing(append(member.expression(), first), nextSome);
            int separated = nfa.newState();
            nfa.nothing(some, separated);
            nfa.nothing(append(member.expression(), append(members.separator(), separated)), nextSome);
            if (!member.required()) {
                nfa.nothing(none, nextNone);
                nfa.nothing(some, nextSome);
            }
            none = nextNone;
            some = nextSome;
        }
        int to = nfa.newState();
        nfa.nothing(none, to);
        nfa.nothing(some, to);
        return to;
    }
}
