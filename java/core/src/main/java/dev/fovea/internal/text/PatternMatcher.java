package dev.fovea.internal.text;

import java.util.Arrays;

/**
 * Runs a {@link Pattern} over a text, backtracking. Each text has a number of steps that matching may take, for a pattern
 * may be hostile.
 */
final class PatternMatcher {
    private static final long FREE_STEPS = 1 << 26;
    private static final long STEPS_PER_CHARACTER = 1000;
    private static final int MOST_PLACES = 1 << 24;
    private static final PatternNode.Kind[] KINDS = PatternNode.Kind.values();

    /** What to try next: an instruction and a place; for runs also the last place to go back to. */
    private int[] stack = new int[96];
    private int top;
    private long steps;
    private Pattern pattern;
    private int[] codes;
    private int begin;
    private int end;

    /** The integers that there is room for. */
    int room() {
        return stack.length;
    }

    /** Begins a text of so many characters. */
    void allow(int characters) {
        top = 0;
        steps = FREE_STEPS + STEPS_PER_CHARACTER * characters;
    }

    /**
     * Adds what matches in a word, and what is between, to {@code matches}.
     *
     * @throws IllegalArgumentException if the text takes more steps, or more places to go back to, than it may
     */
    void find(Pattern wanted, Characters text, int from, int to, Matches matches) {
        codes = text.codes;
        begin = from;
        end = to;
        pattern = wanted;
        int last = from;
        int lastMatch = -1;
        for (int at = from; at <= to;) {
            int stop = wanted.literal != null ? literal(at) : match(0, at);
            // An empty match right behind a match is none.
            if (stop < 0 || stop == at && at == lastMatch) {
                at++;
                continue;
            }
            if (last < at) {
                matches.add(last, at, false);
            }
            matches.add(at, stop, true);
            last = stop;
            lastMatch = stop;
            at = stop;
        }
        if (last < to) {
            matches.add(last, to, false);
        }
    }

    private int literal(int at) {
        int[] wanted = pattern.literal;
        if (at + wanted.length > end) {
            return -1;
        }
        for (int i = 0; i < wanted.length; i++) {
            if (codes[at + i] != wanted[i]) {
                return -1;
            }
        }
        return at + wanted.length;
    }

    /** Where a match of the program from an instruction on, at a place, ends; −1 if there is none. */
    private int match(int instruction, int place) {
        int base = top;
        int[] program = pattern.program;
        int pc = instruction;
        int at = place;
        while (true) {
            if (--steps < 0) {
                top = 0;
                throw new IllegalArgumentException("expected a text that the tokenizer's pattern matches in at most "
                        + STEPS_PER_CHARACTER + " steps per character; '" + pattern.source + "' takes more");
            }
            int i = pc * Pattern.WIDTH;
            int a = program[i + 1];
            boolean matches = true;
            pc++;
            switch (program[i]) {
                case Pattern.ONE -> matches = at < end && pattern.sets[a].contains(codes[at++]);
                case Pattern.FORK -> {
                    push(program[i + 2], at, at);
                    pc = a;
                }
                case Pattern.JUMP -> pc = a;
                case Pattern.RUN, Pattern.WHOLE_RUN, Pattern.LAZY_RUN -> {
                    int stop = run(pattern.sets[a], at, program[i + 4]);
                    int least = at + program[i + 3];
                    matches = stop >= least;
                    if (matches && program[i] == Pattern.RUN && stop > least) {
                        push(pc, stop - 1, least);
                    } else if (matches && program[i] == Pattern.LAZY_RUN && stop > least) {
                        push(pc, least + 1, stop);
                        stop = least;
                    }
                    at = stop;
                }
                case Pattern.ATOMIC -> {
                    at = match(pc, at);
                    matches = at >= 0;
                    pc = a;
                }
                case Pattern.LOOK, Pattern.LOOK_NOT -> {
                    int from = at - program[i + 2];
                    boolean found = from >= begin && match(pc, from) >= 0;
                    matches = found == (program[i] == Pattern.LOOK);
                    pc = a;
                }
                case Pattern.PLACE -> matches = isPlace(KINDS[a], at);
                default -> {
                    top = base;
                    return at;
                }
            }
            if (!matches) {
                if (top == base) {
                    return -1;
                }
                pc = stack[top - 3];
                at = stack[top - 2];
                int last = stack[top - 1];
                if (at == last) {
                    top -= 3;
                } else {
                    stack[top - 2] = at > last ? at - 1 : at + 1;
                }
            }
        }
    }

    private int run(CharacterSet set, int from, int most) {
        int stop = end - from > most ? from + most : end;
        int at = from;
        while (at < stop && set.contains(codes[at])) {
            at++;
        }
        steps -= at - from >> 3;
        return at;
    }

    private void push(int instruction, int place, int last) {
        if (top + 3 > stack.length) {
            if (top >= 3 * MOST_PLACES) {
                top = 0;
                throw new IllegalArgumentException("expected a text that the tokenizer's pattern matches with at most "
                        + MOST_PLACES + " places to go back to; '" + pattern.source + "' has more");
            }
            stack = Arrays.copyOf(stack, 2 * stack.length);
        }
        stack[top++] = instruction;
        stack[top++] = place;
        stack[top++] = last;
    }

    private boolean isPlace(PatternNode.Kind kind, int at) {
        return switch (kind) {
            case BEGIN -> at == begin;
            case END -> at == end;
            case END_OR_FINAL_NEWLINE -> at == end || at == end - 1 && codes[at] == '\n';
            case LINE_BEGIN -> at == begin || codes[at - 1] == '\n' && at < end;
            case LINE_END -> at == end || codes[at] == '\n';
            case WORD_BORDER -> isBorder(at);
            case NO_WORD_BORDER -> !isBorder(at);
        };
    }

    private boolean isBorder(int at) {
        boolean before = at > begin && Unicode.is(codes[at - 1], Unicode.REGEX_WORD);
        boolean behind = at < end && Unicode.is(codes[at], Unicode.REGEX_WORD);
        return before != behind;
    }
}
