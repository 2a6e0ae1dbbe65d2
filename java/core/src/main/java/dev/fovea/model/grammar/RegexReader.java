package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.EMPTY;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.grammar.Expression.Characters;
import dev.fovea.model.grammar.Expression.Choice;
import dev.fovea.model.grammar.Expression.Repeat;
import dev.fovea.model.grammar.Expression.Sequence;
import java.util.ArrayList;
import java.util.List;

/**
 * Regular expressions as ECMA-262 has them, without what looks around or back. Whether a repetition is greedy says nothing
 * about what matches, and is read over.
 */
final class RegexReader {
    static final int MOST_CHARS = 1 << 16;
    private static final int MOST_DEPTH = 100;
    private static final int MOST_TIMES = Nfa.MOST_STATES;
    /** Of all dialects. */
    private static final CodePoints LINE_ENDS = CodePoints.of("\n\r\u0085\u2028\u2029");

    private final String regex;
    private final int[] codes;
    private int at;
    private int depth;

    private RegexReader(String regex) {
        if (regex.length() > MOST_CHARS) {
            throw new IllegalArgumentException("expected a regular expression of at most " + MOST_CHARS + " chars, got "
                    + regex.length());
        }
        this.regex = regex;
        this.codes = regex.codePoints().toArray();
    }

    /**
     * What a regular expression matches as a whole; {@code ^} at its begin and {@code $} at its end change nothing.
     *
     * @throws IllegalArgumentException if it is none, or has what is not supported
     */
    static Expression whole(String regex) {
        return new RegexReader(regex).alternatives(true, EMPTY);
    }

    /** The texts in which a regular expression finds something; {@code rest} is what stands around, if it is not bound. */
    static Expression within(String regex, Expression rest) {
        return new RegexReader(regex).alternatives(true, rest);
    }

    /** All of it, or what is in parentheses. */
    private Expression alternatives(boolean outermost, Expression around) {
        if (++depth > MOST_DEPTH) {
            throw error("groups to a depth of more than " + MOST_DEPTH);
        }
        List<Expression> parts = new ArrayList<>();
        do {
            parts.add(alternative(outermost, around));
        } while (take('|'));
        if (outermost && at < codes.length) {
            throw error("')' without '('");
        }
        depth--;
        return parts.size() == 1 ? parts.getFirst() : new Choice(parts);
    }

    private Expression alternative(boolean outermost, Expression around) {
        List<Expression> parts = new ArrayList<>();
        boolean begins = outermost && take('^');
        boolean ends = false;
        while (at < codes.length && codes[at] != '|' && codes[at] != ')' && !ends) {
            if (outermost && codes[at] == '$' && (at + 1 == codes.length || codes[at + 1] == '|')) {
                at++;
                ends = true;
            } else {
                parts.add(quantified(atom()));
            }
        }
        if (!begins) {
            parts.addFirst(around);
        }
        if (!ends) {
            parts.add(around);
        }
        return new Sequence(parts);
    }

    private Expression quantified(Expression atom) {
        int least;
        int most;
        if (take('*')) {
            least = 0;
            most = -1;
        } else if (take('+')) {
            least = 1;
            most = -1;
        } else if (take('?')) {
            least = 0;
            most = 1;
        } else if (at + 1 < codes.length && codes[at] == '{' && isDigit(codes[at + 1])) {
            at++;
            least = number();
            most = !take(',') ? least : at < codes.length && isDigit(codes[at]) ? number() : -1;
            if (!take('}') || most >= 0 && most < least) {
                throw error("a repetition in braces that is none");
            }
        } else {
            return atom;
        }
        take('?');
        if (at < codes.length && (codes[at] == '*' || codes[at] == '+' || codes[at] == '?')) {
            throw error("a repetition of a repetition");
        }
        return new Repeat(atom, least, most);
    }

    private static boolean isDigit(int c) {
        return c >= '0' && c <= '9';
    }

    private int number() {
        long number = 0;
        while (at < codes.length && isDigit(codes[at])) {
            number = Math.min(10 * number + codes[at++] - '0', MOST_TIMES + 1);
        }
        if (number > MOST_TIMES) {
            throw error("more than " + MOST_TIMES + " repetitions");
        }
        return (int) number;
    }

    private Expression atom() {
        int c = codes[at++];
        switch (c) {
            case '.' -> {
                return new Characters(LINE_ENDS.complement());
            }
            case '[' -> {
                return new Characters(brackets());
            }
            case '(' -> {
                return group();
            }
            case '\\' -> {
                CodePoints many = RegexEscapes.set(codes, at);
                if (many == null) {
                    return character(escape(false));
                }
                at = RegexEscapes.end(codes, at);
                return new Characters(many);
            }
            case '*', '+', '?' -> throw error("a repetition of nothing");
            case '^', '$' -> throw error("'" + (char) c + "' in the middle");
            default -> {
                return character(c);
            }
        }
    }

    private static Expression character(int c) {
        return new Characters(CodePoints.of(c, c));
    }

    private Expression group() {
        if (take('?')) {
            if (take('<') && at < codes.length && codes[at] != '=' && codes[at] != '!') {
                while (at < codes.length && codes[at] != '>') {
                    at++;
                }
                at++;
            } else if (!take(':')) {
                throw error("a group that looks around, or has flags");
            }
        }
        Expression inside = alternatives(false, EMPTY);
        if (!take(')')) {
            throw error("'(' without ')'");
        }
        return inside;
    }

    private CodePoints brackets() {
        boolean negated = take('^');
        var set = new CodePoints.Builder();
        while (at < codes.length && codes[at] != ']') {
            CodePoints many = codes[at] == '\\' ? RegexEscapes.set(codes, at + 1, negated) : null;
            if (many != null) {
                at = RegexEscapes.end(codes, at + 1);
                set.add(many);
                continue;
            }
            int first = element();
            int last = first;
            if (at + 1 < codes.length && codes[at] == '-' && codes[at + 1] != ']') {
                at++;
                if (codes[at] == '\\' && RegexEscapes.set(codes, at + 1) != null) {
                    throw error("a range to a set");
                }
                last = element();
            }
            if (last < first) {
                throw error("a range that ends before it begins");
            }
            set.add(first, last);
        }
        if (!take(']')) {
            throw error("'[' without ']'");
        }
        return negated ? set.build().complement() : set.build();
    }

    private int element() {
        int c = codes[at++];
        return c == '\\' ? escape(true) : c;
    }

    /** The character that an escape stands for; {@code at} is behind the backslash. */
    private int escape(boolean inBrackets) {
        if (at == codes.length) {
            throw error("an escape of nothing");
        }
        int c = codes[at++];
        return switch (c) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'f' -> '\f';
            case 'v' -> 0xb;
            case '0' -> 0;
            case 'x' -> hexadecimal(2);
            case 'u' -> take('{') ? braced() : hexadecimal(4);
            default -> {
                if (c == 'b' && inBrackets) {
                    yield '\b';
                }
                if (c < 0x80 && Character.isLetterOrDigit(c)) {
                    throw error("the escape \\" + (char) c);
                }
                yield c;
            }
        };
    }

    private int hexadecimal(int digits) {
        int value = 0;
        for (int i = 0; i < digits; i++) {
            int digit = at < codes.length ? Character.digit(codes[at], 16) : -1;
            if (digit < 0) {
                throw error("an escape of " + digits + " hexadecimal digits");
            }
            value = 16 * value + digit;
            at++;
        }
        return value;
    }

    private int braced() {
        int value = 0;
        while (at < codes.length && Character.digit(codes[at], 16) >= 0 && value <= Character.MAX_CODE_POINT) {
            value = 16 * value + Character.digit(codes[at++], 16);
        }
        if (!take('}') || value > Character.MAX_CODE_POINT) {
            throw error("an escape of hexadecimal digits in braces");
        }
        return value;
    }

    private boolean take(int c) {
        if (at < codes.length && codes[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private IllegalArgumentException error(String problem) {
        return new IllegalArgumentException("a regular expression that is not supported: " + problem + ", at character " + at
                + " of '" + Excerpt.of(regex) + "'");
    }
}
