package dev.fovea.model.grammar;

import java.util.ArrayDeque;
import java.util.BitSet;

/**
 * Rules as states, with what leads from one to another: bytes, and calls of rules. Wherever one is, the rule can come to its
 * end. Immutable; safe to share.
 */
final class Automaton {
    private static final int NONE = -1;

    private final int[] starts;
    private final boolean[] nullable;
    private final int[] classOf;
    private final int classes;
    private final int[] cells;
    private final int[] lists;
    private final int[] callStarts;
    private final int[] callRules;
    private final int[] callTargets;
    private final BitSet accepting;
    private final int[] rules;
    private final boolean[] plain;
    private final boolean[] reads;
    private final boolean[] called;
    private final boolean matchesSomething;

    /** See {@link StateTable} for the tables. */
    Automaton(int[] starts, int[] classOf, int classes, int[] cells, int[] lists, int[] callStarts, int[] callRules,
            int[] callTargets, BitSet accepting, int[] rules, boolean matchesSomething) {
        this.starts = starts;
        this.classOf = classOf;
        this.classes = classes;
        this.cells = cells;
        this.lists = lists;
        this.callStarts = callStarts;
        this.callRules = callRules;
        this.callTargets = callTargets;
        this.accepting = accepting;
        this.rules = rules;
        this.matchesSomething = matchesSomething;
        this.plain = new boolean[rules.length];
        this.reads = new boolean[rules.length];
        for (int state = 0; state < rules.length; state++) {
            plain[state] = callStarts[state] == callStarts[state + 1] && !accepting.get(state);
            for (int i = state * classes; i < (state + 1) * classes; i++) {
                reads[state] |= cells[i] != NONE;
            }
        }
        this.called = new boolean[starts.length];
        for (int rule : callRules) {
            called[rule] = true;
        }
        this.nullable = nullable();
    }

    private boolean[] nullable() {
        boolean[] found = new boolean[starts.length];
        for (boolean changed = true; changed;) {
            changed = false;
            for (int rule = 0; rule < starts.length; rule++) {
                if (!found[rule] && endsAtOnce(starts[rule], found, new BitSet())) {
                    found[rule] = true;
                    changed = true;
                }
            }
        }
        return found;
    }

    /** Whether a state leads to an end by calls that may match nothing. */
    private boolean endsAtOnce(int from, boolean[] nullableRules, BitSet seen) {
        var open = new ArrayDeque<Integer>();
        open.push(from);
        while (!open.isEmpty()) {
            int state = open.pop();
            if (accepting.get(state)) {
                return true;
            }
            if (!seen.get(state)) {
                seen.set(state);
                for (int call = callStarts[state]; call < callStarts[state + 1]; call++) {
                    if (nullableRules[callRules[call]]) {
                        open.push(callTargets[call]);
                    }
                }
            }
        }
        return false;
    }

    int size() {
        return rules.length;
    }

    int start(int rule) {
        return starts[rule];
    }

    /** Whether a rule may match nothing. */
    boolean isNullable(int rule) {
        return nullable[rule];
    }

    /** Whether there is a text that the first rule matches. */
    boolean matchesSomething() {
        return matchesSomething;
    }

    /** Where a byte leads: a state, −1 for nowhere, or −2 − a place of {@link #count} states. */
    int next(int state, int b) {
        return cells[state * classes + classOf[b]];
    }

    int count(int place) {
        return lists[-2 - place];
    }

    int target(int place, int index) {
        return lists[-2 - place + 1 + index];
    }

    int firstCall(int state) {
        return callStarts[state];
    }

    int endCall(int state) {
        return callStarts[state + 1];
    }

    int calledRule(int call) {
        return callRules[call];
    }

    int callTarget(int call) {
        return callTargets[call];
    }

    /** Whether its rule may end at a state. */
    boolean accepts(int state) {
        return accepting.get(state);
    }

    int rule(int state) {
        return rules[state];
    }

    /** Whether something calls a rule. */
    boolean isCalled(int rule) {
        return called[rule];
    }

    /** Whether a state calls rules. */
    boolean calls(int state) {
        return callStarts[state] < callStarts[state + 1];
    }

    /** Whether nothing but bytes leads on from a state. */
    boolean isPlain(int state) {
        return plain[state];
    }

    /** Whether a byte leads on from a state. */
    boolean reads(int state) {
        return reads[state];
    }
}
