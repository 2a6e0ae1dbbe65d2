package dev.fovea.model.grammar;

import java.util.Arrays;

/**
 * Where in its rules a text is, byte by byte: Earley, An Efficient Context-Free Parsing Algorithm, CACM 1970, on automata
 * instead of productions. Behind each byte there is a set of items: a state, and the set in which its rule began. Going back
 * is forgetting sets. Rules that may match nothing as Aycock and Horspool have them, Practical Earley Parsing, 2002.
 *
 * <p>Allocates nothing but when a text outgrows its room. For one thread at a time.
 */
final class Recognizer {
    /** The begin of an item whose rule began before the first set: nobody knows what follows it. */
    static final int OUTSIDE = -1;

    private static final int MOST_ITEMS = 1 << 24;
    /** A set of fewer is looked through, one of more is hashed. */
    private static final int FEW = 12;
    /** What one step may take, in items; some tenths of a second. */
    private static final long MOST_WORK = 1 << 25;
    private static final int MOST_IN_SET = 1 << 13;

    private final Automaton automaton;
    private int[] states;
    private int[] origins;
    private int count;
    /** Where each set ends. */
    private int[] ends;
    private boolean[] leavesOutside;
    private int sets;
    /** Open addressing: places of items of the set at hand. Made when the first set has more than a few. */
    private int[] slots;
    private int[] slotMarks;
    private int mark;
    private long work;

    /**
     * Before the first byte.
     *
     * @param room for so many bytes
     */
    Recognizer(Automaton automaton, int room) {
        this.automaton = automaton;
        states = new int[4 * room + 64];
        origins = new int[states.length];
        ends = new int[room + 64];
        leavesOutside = new boolean[ends.length];
    }

    /** Begins a text. */
    void start() {
        sets = 0;
        count = 0;
        int from = begin();
        add(automaton.start(0), 0, from);
        close(from);
    }

    /** How many sets there are; the last is the one at hand. */
    int sets() {
        return sets;
    }

    /** Goes back to so many sets. */
    void truncate(int kept) {
        sets = kept;
        count = kept == 0 ? 0 : ends[kept - 1];
    }

    /** Begins a step, which may take only so much. */
    void resetWork() {
        work = 0;
    }

    /** Where the items of the last set begin. */
    int firstItem() {
        return sets < 2 ? 0 : ends[sets - 2];
    }

    int endItem() {
        return count;
    }

    int state(int item) {
        return states[item];
    }

    int origin(int item) {
        return origins[item];
    }

    /** Whether the rule of {@link #pushOne} may have ended at the last byte. */
    boolean leavesOutside() {
        return leavesOutside[sets - 1];
    }

    /** Whether the text may end here. */
    boolean canEnd() {
        for (int i = firstItem(); i < count; i++) {
            if (origins[i] == 0 && automaton.rule(states[i]) == 0 && automaton.accepts(states[i])) {
                return true;
            }
        }
        return false;
    }

    /** Takes a byte; false, and nothing changes, if it may not stand here. */
    boolean advance(int b) {
        int from = firstItem();
        int to = count;
        if (to - from == 1 && automaton.isPlain(states[from])) {
            int target = automaton.next(states[from], b);
            work++;
            if (target == -1) {
                return false;
            }
            if (target >= 0 && automaton.isPlain(target)) {
                begin();
                put(target, origins[from]);
                return true;
            }
        }
        begin();
        for (int i = from; i < to; i++) {
            int target = automaton.next(states[i], b);
            if (target >= 0) {
                add(target, origins[i], to);
            } else if (target < -1) {
                for (int k = automaton.count(target) - 1; k >= 0; k--) {
                    add(automaton.target(target, k), origins[i], to);
                }
            }
        }
        work += to - from;
        if (work > MOST_WORK) {
            throw tooManyWays();
        }
        if (count == to) {
            sets--;
            return false;
        }
        close(to);
        return true;
    }

    /** Begins a set with one item that began outside; what it calls is left out. */
    void pushOne(int state) {
        begin();
        put(state, OUTSIDE);
    }

    /** Begins a set of what may follow a rule that began in a set and ends here; false, and no set, if nothing may. */
    boolean pushBehind(int rule, int origin) {
        int from = begin();
        complete(rule, origin, from);
        if (count == from) {
            sets--;
            return false;
        }
        close(from);
        return true;
    }

    /** Begins an empty set; where its items begin. */
    private int begin() {
        if (sets == ends.length) {
            ends = Arrays.copyOf(ends, 2 * sets);
            leavesOutside = Arrays.copyOf(leavesOutside, 2 * sets);
        }
        leavesOutside[sets] = false;
        ends[sets++] = count;
        mark++;
        return count;
    }

    private void put(int state, int origin) {
        if (count == states.length) {
            if (count == MOST_ITEMS) {
                throw tooManyWays();
            }
            states = Arrays.copyOf(states, Math.min(MOST_ITEMS, 2 * count));
            origins = Arrays.copyOf(origins, states.length);
        }
        states[count] = state;
        origins[count++] = origin;
        ends[sets - 1] = count;
        work++;
    }

    private static IllegalArgumentException tooManyWays() {
        return new IllegalArgumentException("the format cannot be followed: there are too many ways to read the text so far");
    }

    private void add(int state, int origin, int from) {
        if (count - from < FEW) {
            for (int i = from; i < count; i++) {
                if (states[i] == state && origins[i] == origin) {
                    return;
                }
            }
        } else {
            if (count - from == FEW) {
                for (int i = from; i < count; i++) {
                    hash(states[i], origins[i], i);
                }
            }
            if (count - from == MOST_IN_SET) {
                throw tooManyWays();
            }
            if (!hash(state, origin, count)) {
                return;
            }
        }
        put(state, origin);
    }

    /** Notes an item; false if it is there already. */
    private boolean hash(int state, int origin, int item) {
        if (slots == null) {
            slots = new int[4 * MOST_IN_SET];
            slotMarks = new int[4 * MOST_IN_SET];
        }
        int slot = (state * 0x9E3779B1 ^ origin * 0x85EBCA77) >>> 15 & slots.length - 1;
        while (slotMarks[slot] == mark) {
            int other = slots[slot];
            if (other != item && states[other] == state && origins[other] == origin) {
                return false;
            }
            slot = slot + 1 & slots.length - 1;
        }
        slotMarks[slot] = mark;
        slots[slot] = item;
        return true;
    }

    /** Adds what rules that begin or end here lead to. */
    private void close(int from) {
        int here = sets - 1;
        for (int i = from; i < count; i++) {
            int state = states[i];
            if (automaton.isPlain(state)) {
                continue;
            }
            int origin = origins[i];
            for (int call = automaton.firstCall(state); call < automaton.endCall(state); call++) {
                int rule = automaton.calledRule(call);
                add(automaton.start(rule), here, from);
                if (automaton.isNullable(rule)) {
                    add(automaton.callTarget(call), origin, from);
                }
            }
            if (automaton.accepts(state)) {
                if (origin == OUTSIDE) {
                    leavesOutside[here] = true;
                } else if (origin != here) {
                    complete(automaton.rule(state), origin, from);
                }
            }
        }
    }

    private void complete(int rule, int origin, int from) {
        int first = origin == 0 ? 0 : ends[origin - 1];
        for (int i = first; i < ends[origin]; i++) {
            int state = states[i];
            for (int call = automaton.firstCall(state); call < automaton.endCall(state); call++) {
                if (automaton.calledRule(call) == rule) {
                    add(automaton.callTarget(call), origins[i], from);
                }
            }
        }
        work += ends[origin] - first;
    }
}
