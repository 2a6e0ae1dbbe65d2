package dev.fovea.model.grammar;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.grammar.Expression.Call;
import dev.fovea.model.grammar.Expression.Characters;
import dev.fovea.model.grammar.Expression.Choice;
import dev.fovea.model.grammar.Expression.Repeat;
import dev.fovea.model.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Grammars as llama.cpp has them, GBNF: {@code root ::= "yes" | "no" [a-z]+}. Unlike there, rules may begin with a call of
 * themselves.
 */
final class GbnfReader {
    private static final int MOST_CHARS = 1 << 20;
    private static final int MOST_RULES = 1 << 12;
    private static final int MOST_DEPTH = 100;

    private final String text;
    private final int[] codes;
    private int at;
    private int depth;
    private final Map<String, Integer> numbers = new LinkedHashMap<>();
    private final Map<Integer, Expression> expressions = new LinkedHashMap<>();

    private GbnfReader(String text) {
        if (text.length() > MOST_CHARS) {
            throw new IllegalArgumentException("expected a grammar of at most " + MOST_CHARS + " chars, got " + text.length());
        }
        this.text = text;
        this.codes = text.codePoints().toArray();
    }

    /**
     * Reads a grammar whose texts follow the rule {@code root}.
     *
     * @throws IllegalArgumentException if it is none; the message says where
     */
    static Grammar read(String text) {
        return new GbnfReader(text).read();
    }

    private Grammar read() {
        number("root");
        skip(true);
        while (at < codes.length) {
            rule();
            skip(true);
        }
        List<Grammar.Rule> rules = new ArrayList<>();
        numbers.forEach((name, number) -> {
            if (!expressions.containsKey(number)) {
                throw new IllegalArgumentException("a grammar without the rule '" + Excerpt.of(name) + "'");
            }
            rules.add(new Grammar.Rule(name, expressions.get(number), number == 0));
        });
        return new Grammar(rules);
    }

    private int number(String name) {
        Integer known = numbers.putIfAbsent(name, numbers.size());
        if (numbers.size() > MOST_RULES) {
            throw error("more than " + MOST_RULES + " rules");
        }
        return known == null ? numbers.size() - 1 : known;
    }

    private void rule() {
        String name = name();
        skip(false);
        for (char c : "::=".toCharArray()) {
            if (!take(c)) {
                throw error("'::=' expected behind the name of a rule");
            }
        }
        skip(true);
        int number = number(name);
        if (expressions.put(number, alternatives(false)) != null) {
            throw error("the rule '" + Excerpt.of(name) + "' twice");
        }
        if (at < codes.length && codes[at] != '\n') {
            throw error("the end of a line expected");
        }
    }

    private String name() {
        int start = at;
        while (at < codes.length && isOfName(codes[at])) {
            at++;
        }
        if (at == start) {
            throw error("the name of a rule expected");
        }
        return new String(codes, start, at - start);
    }

    private static boolean isOfName(int c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_';
    }

    private Expression alternatives(boolean inGroup) {
        if (++depth > MOST_DEPTH) {
            throw error("groups to a depth of more than " + MOST_DEPTH);
        }
        List<Expression> parts = new ArrayList<>();
        parts.add(sequence(inGroup));
        while (goesOn()) {
            skip(true);
            parts.add(sequence(inGroup));
        }
        depth--;
        return parts.size() == 1 ? parts.getFirst() : new Choice(parts);
    }

    /** Whether an alternative follows, perhaps on the next line. */
    private boolean goesOn() {
        int before = at;
        skip(true);
        if (take('|')) {
            return true;
        }
        at = before;
        return false;
    }

    private Expression sequence(boolean inGroup) {
        List<Expression> parts = new ArrayList<>();
        while (true) {
            skip(inGroup);
            if (at == codes.length || codes[at] == '\n' || codes[at] == '|' || codes[at] == ')') {
                return new Sequence(parts);
            }
            Expression part = item();
            for (Expression more = repeated(part); more != part; more = repeated(part)) {
                part = more;
            }
            parts.add(part);
        }
    }

    private Expression item() {
        int c = codes[at];
        if (c == '"') {
            at++;
            var literal = new StringBuilder();
            while (at < codes.length && codes[at] != '"') {
                literal.appendCodePoint(character());
            }
            require('"');
            return Expression.literal(literal.toString());
        }
        if (c == '[') {
            at++;
            return new Characters(brackets());
        }
        if (c == '.') {
            at++;
            return new Characters(CodePoints.ALL);
        }
        if (c == '(') {
            at++;
            Expression inside = alternatives(true);
            skip(true);
            require(')');
            return inside;
        }
        if (c == '<' || c == '!') {
            throw error("a token of the model, which is not supported");
        }
        return new Call(number(name()));
    }

    private CodePoints brackets() {
        boolean negated = take('^');
        var set = new CodePoints.Builder();
        while (at < codes.length && codes[at] != ']') {
            int first = character();
            int last = first;
            if (at + 1 < codes.length && codes[at] == '-' && codes[at + 1] != ']') {
                at++;
                last = character();
            }
            if (last < first) {
                throw error("a range that ends before it begins");
            }
            set.add(first, last);
        }
        require(']');
        return negated ? set.build().complement() : set.build();
    }

    private int character() {
        int c = codes[at++];
        if (c != '\\') {
            return c;
        }
        int escaped = at < codes.length ? codes[at++] : -1;
        return switch (escaped) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case '\\', '"', '[', ']', '-', '^' -> escaped;
            case 'x' -> hexadecimal(2);
            case 'u' -> hexadecimal(4);
            case 'U' -> hexadecimal(8);
            default -> throw error("an escape that is none");
        };
    }

    private int hexadecimal(int digits) {
        long value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < codes.length ? Character.digit(codes[at++], 16) : -1;
            if (digit < 0) {
                throw error("an escape of " + digits + " hexadecimal digits");
            }
            value = 16 * value + digit;
        }
        if (value > Character.MAX_CODE_POINT) {
            throw error("an escape of no character");
        }
        return (int) value;
    }

    /** What follows an item may say how often; the item itself if not. */
    private Expression repeated(Expression item) {
        int before = at;
        skip(false);
        if (take('*')) {
            return new Repeat(item, 0, -1);
        }
        if (take('+')) {
            return new Repeat(item, 1, -1);
        }
        if (take('?')) {
            return new Repeat(item, 0, 1);
        }
        if (!take('{')) {
            at = before;
            return item;
        }
        int least = at < codes.length && codes[at] == ',' ? 0 : count();
        int most = !take(',') ? least : at < codes.length && codes[at] == '}' ? -1 : count();
        require('}');
        if (most >= 0 && most < least) {
            throw error("a repetition of at most fewer times than at least");
        }
        return new Repeat(item, least, most);
    }

    private int count() {
        long count = 0;
        int start = at;
        while (at < codes.length && codes[at] >= '0' && codes[at] <= '9') {
            count = Math.min(10 * count + codes[at++] - '0', Nfa.MOST_STATES + 1);
        }
        if (at == start || count > Nfa.MOST_STATES) {
            throw error("a number of repetitions up to " + Nfa.MOST_STATES + " expected");
        }
        return (int) count;
    }

    /** Goes over spaces and comments, and perhaps over ends of lines. */
    private void skip(boolean lines) {
        while (at < codes.length) {
            int c = codes[at];
            if (c == '#') {
                while (at < codes.length && codes[at] != '\n') {
                    at++;
                }
            } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n' && lines) {
                at++;
            } else {
                return;
            }
        }
    }

    private boolean take(int c) {
        if (at < codes.length && codes[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private void require(char c) {
        if (!take(c)) {
            throw error("'" + c + "' expected");
        }
    }

    private IllegalArgumentException error(String problem) {
        int line = 1 + (int) java.util.Arrays.stream(codes, 0, Math.min(at, codes.length)).filter(c -> c == '\n').count();
        return new IllegalArgumentException("not a grammar: " + problem + ", on line " + line + ", at '"
                + Excerpt.of(new String(codes, Math.min(at, codes.length), Math.min(20, codes.length - Math.min(at, codes.length))))
                + "'");
    }
}
