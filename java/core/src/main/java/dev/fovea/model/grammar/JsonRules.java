package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.choice;
import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import dev.fovea.model.grammar.Expression.Call;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The rules of a schema's grammar as they are made, and those that all schemas share: values whatever they are. */
final class JsonRules {
    private static final int MOST_RULES = 1 << 14;
    private static final int MOST_INDENT = 32;

    private final List<Grammar.Rule> rules = new ArrayList<>();
    private final Map<String, Integer> numbers = new HashMap<>();

    /** The rule of this name, made if there is none yet. It may call itself. */
    Expression rule(String name, Supplier<Expression> expression) {
        Integer known = numbers.get(name);
        if (known != null) {
            return new Call(known);
        }
        if (rules.size() == MOST_RULES) {
            throw new IllegalArgumentException("expected a schema of at most " + MOST_RULES + " parts");
        }
        int number = rules.size();
        numbers.put(name, number);
        rules.add(null);
        rules.set(number, new Grammar.Rule(name, expression.get(), true));
        return new Call(number);
    }

    Grammar grammar() {
        return new Grammar(rules);
    }

    /** Between values: nothing, a space, or the end of a line and what the next one begins with. */
    Expression space() {
        return rule("#space", () -> choice(literal(""), literal(" "),
                sequence(literal("\n"), literal(" ").times(0, MOST_INDENT))));
    }

    /** Behind a colon. */
    static Expression colon() {
        return sequence(literal(":"), literal(" ").optional());
    }

    Expression comma() {
        return sequence(literal(","), space());
    }

    /** A list in brackets, or nothing in them. */
    Expression bracketed(String brackets, Expression inside, boolean mayBeEmpty) {
        Expression some = sequence(inside, space());
        return sequence(literal(brackets.substring(0, 1)), space(), mayBeEmpty ? some.optional() : some,
                literal(brackets.substring(1)));
    }

    Expression anyString() {
        return rule("#string", JsonText::anyString);
    }

    Expression anyInteger() {
        return rule("#integer", () -> JsonNumbers.integers(JsonNumbers.Bounds.NONE));
    }

    Expression anyNumber() {
        return rule("#number", () -> JsonNumbers.numbers(JsonNumbers.Bounds.NONE));
    }

    Expression anyBoolean() {
        return rule("#boolean", () -> choice(literal("true"), literal("false")));
    }

    Expression anyArray() {
        return rule("#array", () -> bracketed("[]", list(anyValue(), 1, -1), true));
    }

    Expression anyObject() {
        return rule("#object", () -> bracketed("{}", list(sequence(anyString(), colon(), anyValue()), 1, -1), true));
    }

    Expression anyValue() {
        return rule("#value", () -> choice(anyObject(), anyArray(), anyString(), anyNumber(), anyBoolean(), literal("null")));
    }

    /** So many, at least one, with commas between. */
    Expression list(Expression one, int least, int most) {
        return sequence(one, sequence(comma(), one).times(Math.max(0, least - 1), most < 0 ? -1 : most - 1));
    }
}
