package dev.fovea.internal.text;

import dev.fovea.internal.text.PatternNode.Atomic;
import dev.fovea.internal.text.PatternNode.Choice;
import dev.fovea.internal.text.PatternNode.Greed;
import dev.fovea.internal.text.PatternNode.Kind;
import dev.fovea.internal.text.PatternNode.Look;
import dev.fovea.internal.text.PatternNode.One;
import dev.fovea.internal.text.PatternNode.Place;
import dev.fovea.internal.text.PatternNode.Repeat;
import dev.fovea.internal.text.PatternNode.Sequence;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the regular expressions of tokenizers, in Oniguruma's syntax for Ruby: the parts of it that such files use.
 * Other parts, such as captures that are referred to, are refused.
 */
final class PatternParser {
    private static final int MOST_TIMES = 1000;
    private static final int MOST_DEPTH = 50;

    private final int[] pattern;
    private final SetParser sets;
    private int at;
    private int depth;
    private boolean ignoresCase;

    private PatternParser(String pattern) {
        this.pattern = pattern.codePoints().toArray();
        this.sets = new SetParser(this.pattern);
    }

    /**
     * Reads a pattern.
     *
     * @throws IllegalArgumentException if it is none, or has parts that are not supported
     */
    static PatternNode parse(String pattern) {
        PatternParser parser = new PatternParser(pattern);
        PatternNode node = parser.choice();
        if (parser.at < parser.pattern.length) {
            throw parser.error("')' without '('");
        }
        return node;
    }

    private PatternNode choice() {
        if (++depth > MOST_DEPTH) {
            throw error("groups to a depth of more than " + MOST_DEPTH);
        }
        boolean ignoredCase = ignoresCase;
        List<PatternNode> choices = new ArrayList<>();
        choices.add(sequence());
        while (take('|')) {
            choices.add(sequence());
        }
        ignoresCase = ignoredCase;
        depth--;
        return choices.size() == 1 ? choices.getFirst() : new Choice(List.copyOf(choices));
    }

    private PatternNode sequence() {
        List<PatternNode> nodes = new ArrayList<>();
        int folded = -1;
        while (at < pattern.length && pattern[at] != '|' && pattern[at] != ')') {
            int first = pattern[at];
            int begin = at;
            PatternNode atom = atom();
            boolean letter = ignoresCase && at == begin + 1 && first < 0x80 && Character.isLetter(first);
            if (letter && folded >= 0 && "ff fi fl ss st".contains("" + (char) folded + (char) (first | 0x20))) {
                throw error("letters that a ligature may stand for, whatever their case");
            }
            folded = letter ? first | 0x20 : -1;
            nodes.add(repeated(atom));
        }
        return nodes.size() == 1 ? nodes.getFirst() : new Sequence(List.copyOf(nodes));
    }

    private PatternNode repeated(PatternNode atom) {
        PatternNode node = atom;
        while (at < pattern.length) {
            int begin = at;
            int least;
            int most;
            boolean counted = false;
            if (take('*')) {
                least = 0;
                most = -1;
            } else if (take('+')) {
                least = 1;
                most = -1;
            } else if (take('?')) {
                least = 0;
                most = 1;
            } else if (take('{')) {
                counted = true;
                int[] count = count();
                if (count == null) {
                    at = begin;
                    return node;
                }
                least = count[0];
                most = count[1];
            } else {
                return node;
            }
            if (node.length()[0] == 0 && most != 1) {
                throw error("a repetition of what may be empty");
            }
            // In this syntax, a plus behind braces is a repetition of its own.
            Greed greed = take('?') ? Greed.LAZY : !counted && take('+') ? Greed.POSSESSIVE : Greed.GREEDY;
            node = new Repeat(node, least, most, greed);
        }
        return node;
    }

    /** What braces say, or null if they are no repetition. */
    private int[] count() {
        int least = number();
        int most = least;
        if (take(',')) {
            most = at < pattern.length && pattern[at] == '}' ? -1 : number();
            least = Math.max(least, 0);
            if (most == -2) {
                return null;
            }
        }
        if (least < 0 || !take('}')) {
            return null;
        }
        if (least > MOST_TIMES || most > MOST_TIMES || most >= 0 && most < least) {
            throw error("expected a repetition of at most " + MOST_TIMES + " times, got " + least + " to " + most);
        }
        return new int[] {least, most};
    }

    private int number() {
        int begin = at;
        int number = 0;
        while (at < pattern.length && pattern[at] >= '0' && pattern[at] <= '9' && number <= MOST_TIMES) {
            number = 10 * number + pattern[at++] - '0';
        }
        return at == begin ? -2 : number;
    }

    private PatternNode atom() {
        int c = pattern[at];
        return switch (c) {
            case '(' -> group();
            case '[' -> set(sets.brackets(at, ignoresCase));
            case '.' -> {
                at++;
                yield new One(new CharacterSet.Builder().range('\n', '\n').build(true));
            }
            case '^' -> place(Kind.LINE_BEGIN);
            case '$' -> place(Kind.LINE_END);
            case '\\' -> escape();
            case '*', '+', '?' -> throw error("a repetition of nothing");
            default -> {
                at++;
                yield new One(sets.literal(c, ignoresCase));
            }
        };
    }

    private PatternNode place(Kind kind) {
        at++;
        return new Place(kind);
    }

    private PatternNode set(CharacterSet set) {
        at = sets.end();
        return new One(set);
    }

    private PatternNode escape() {
        int c = at + 1 < pattern.length ? pattern[at + 1] : -1;
        Kind kind = switch (c) {
            case 'A' -> Kind.BEGIN;
            case 'z' -> Kind.END;
            case 'Z' -> Kind.END_OR_FINAL_NEWLINE;
            case 'b' -> Kind.WORD_BORDER;
            case 'B' -> Kind.NO_WORD_BORDER;
            default -> null;
        };
        if (kind != null) {
            at++;
            return place(kind);
        }
        return set(sets.escape(at, ignoresCase));
    }

    private PatternNode group() {
        at++;
        if (!take('?')) {
            return closed(choice());
        }
        if (take(':')) {
            return closed(choice());
        }
        if (take('>')) {
            return new Atomic(closed(choice()));
        }
        boolean behind = take('<');
        if (at < pattern.length && (pattern[at] == '=' || pattern[at] == '!')) {
            boolean negated = pattern[at++] == '!';
            Look look = new Look(closed(choice()), behind, negated);
            int[] length = look.node().length();
            if (behind && length[0] != length[1]) {
                throw error("a look behind for texts of several lengths");
            }
            return look;
        }
        if (!behind) {
            return flags();
        }
        throw error("a named group");
    }

    /** {@code (?i)} for the rest of the group, or {@code (?i:…)}. */
    private PatternNode flags() {
        boolean before = ignoresCase;
        boolean on = !take('-');
        if (!take('i')) {
            throw error("flags other than i");
        }
        ignoresCase = on;
        if (take(')')) {
            return choice(); // in this syntax, flags hold for all choices that follow
        }
        if (!take(':')) {
            throw error("flags other than i");
        }
        PatternNode inside = closed(choice());
        ignoresCase = before;
        return inside;
    }

    private PatternNode closed(PatternNode inside) {
        if (!take(')')) {
            throw error("'(' without ')'");
        }
        return inside;
    }

    private boolean take(int c) {
        if (at < pattern.length && pattern[at] == c) {
            at++;
            return true;
        }
        return false;
    }

    private IllegalArgumentException error(String problem) {
        return new IllegalArgumentException("a pattern that is not supported: " + problem + ", at character " + at);
    }
}
