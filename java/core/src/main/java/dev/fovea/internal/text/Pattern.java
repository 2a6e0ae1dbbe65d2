package dev.fovea.internal.text;

import dev.fovea.internal.text.PatternNode.Atomic;
import dev.fovea.internal.text.PatternNode.Choice;
import dev.fovea.internal.text.PatternNode.Greed;
import dev.fovea.internal.text.PatternNode.Look;
import dev.fovea.internal.text.PatternNode.One;
import dev.fovea.internal.text.PatternNode.Place;
import dev.fovea.internal.text.PatternNode.Repeat;
import dev.fovea.internal.text.PatternNode.Sequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A regular expression as a program for {@link PatternMatcher}, or a text to be found as it stands. An instruction is
 * its code and two operands.
 */
final class Pattern {
    /** A code point of set {@code a}. */
    static final int ONE = 0;
    /** Go on at {@code a}, and where that does not match at {@code b}. */
    static final int FORK = 1;
    /** Go on at {@code a}. */
    static final int JUMP = 2;
    /** As many of set {@code a} as there are, from {@code least} to {@code most}, then fewer. */
    static final int RUN = 3;
    /** As many, and not fewer. */
    static final int WHOLE_RUN = 4;
    /** As few, then more. */
    static final int LAZY_RUN = 5;
    /** What follows must match, up to {@link #DONE}; go on at {@code a} where it ends. */
    static final int ATOMIC = 6;
    /** What follows must match, {@code b} code points back; go on at {@code a} here. */
    static final int LOOK = 7;
    /** It must not match. */
    static final int LOOK_NOT = 8;
    /** The place of kind {@code a}. */
    static final int PLACE = 9;
    /** Match. */
    static final int DONE = 10;

    /** Codes and operands: code, a, b, least, most. */
    static final int WIDTH = 5;
    private static final int MOST_INSTRUCTIONS = 20_000;

    int[] program = new int[64 * WIDTH];
    CharacterSet[] sets;
    /** What is found as it stands; else null. */
    final int[] literal;
    final String source;
    private final List<CharacterSet> allSets = new ArrayList<>();
    private int size;

    private Pattern(String source, int[] literal) {
        this.source = source;
        this.literal = literal;
    }

    /** A text that is to be found as it stands. */
    static Pattern of(String text) {
        return new Pattern(text, text.codePoints().toArray());
    }

    /**
     * A regular expression.
     *
     * @throws IllegalArgumentException if it is none, or has parts that are not supported
     */
    static Pattern compile(String regex) {
        Pattern pattern = new Pattern(regex, null);
        pattern.emit(PatternParser.parse(regex));
        pattern.add(DONE, 0, 0);
        pattern.sets = pattern.allSets.toArray(new CharacterSet[0]);
        return pattern;
    }

    private int add(int code, int a, int b) {
        if (size == MOST_INSTRUCTIONS) {
            throw new IllegalArgumentException("a pattern that is not supported: it is too large");
        }
        if ((size + 1) * WIDTH > program.length) {
            program = Arrays.copyOf(program, 2 * program.length);
        }
        int at = size * WIDTH;
        program[at] = code;
        program[at + 1] = a;
        program[at + 2] = b;
        return size++;
    }

    private int set(CharacterSet set) {
        allSets.add(set);
        return allSets.size() - 1;
    }

    private void target(int instruction, int operand, int target) {
        program[instruction * WIDTH + operand] = target;
    }

    private void emit(PatternNode node) {
        switch (node) {
            case One(CharacterSet set) -> add(ONE, set(set), 0);
            case Sequence(List<PatternNode> nodes) -> nodes.forEach(this::emit);
            case Choice(List<PatternNode> nodes) -> emitChoice(nodes);
            case Repeat repeat -> emitRepeat(repeat);
            case Place(PatternNode.Kind kind) -> add(PLACE, kind.ordinal(), 0);
            case Atomic(PatternNode inside) -> enclose(ATOMIC, 0, inside);
            case Look(PatternNode inside, boolean behind, boolean negated) ->
                    enclose(negated ? LOOK_NOT : LOOK, behind ? inside.length()[0] : 0, inside);
        }
    }

    private void enclose(int code, int back, PatternNode inside) {
        int at = add(code, 0, back);
        emit(inside);
        add(DONE, 0, 0);
        target(at, 1, size);
    }

    private void emitChoice(List<PatternNode> nodes) {
        List<Integer> ends = new ArrayList<>();
        for (int i = 0; i < nodes.size() - 1; i++) {
            int fork = add(FORK, size + 1, 0);
            emit(nodes.get(i));
            ends.add(add(JUMP, 0, 0));
            target(fork, 2, size);
        }
        emit(nodes.getLast());
        ends.forEach(end -> target(end, 1, size));
    }

    private void emitRepeat(Repeat repeat) {
        if (repeat.node() instanceof One(CharacterSet set)) {
            int code = switch (repeat.greed()) {
                case GREEDY -> RUN;
                case POSSESSIVE -> WHOLE_RUN;
                case LAZY -> LAZY_RUN;
            };
            int at = add(code, set(set), 0);
            target(at, 3, repeat.least());
            target(at, 4, repeat.most() < 0 ? Integer.MAX_VALUE : repeat.most());
            return;
        }
        if (repeat.greed() == Greed.POSSESSIVE) {
            enclose(ATOMIC, 0, new Repeat(repeat.node(), repeat.least(), repeat.most(), Greed.GREEDY));
            return;
        }
        boolean lazy = repeat.greed() == Greed.LAZY;
        for (int i = 0; i < repeat.least(); i++) {
            emit(repeat.node());
        }
        if (repeat.most() < 0) {
            int fork = add(FORK, 0, 0);
            emit(repeat.node());
            add(JUMP, fork, 0);
            target(fork, lazy ? 2 : 1, fork + 1);
            target(fork, lazy ? 1 : 2, size);
            return;
        }
        List<Integer> forks = new ArrayList<>();
        for (int i = repeat.least(); i < repeat.most(); i++) {
            int fork = add(FORK, 0, 0);
            forks.add(fork);
            target(fork, lazy ? 2 : 1, fork + 1);
            emit(repeat.node());
        }
        forks.forEach(fork -> target(fork, lazy ? 1 : 2, size));
    }
}
