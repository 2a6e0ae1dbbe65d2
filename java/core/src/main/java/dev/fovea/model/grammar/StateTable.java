package dev.fovea.model.grammar;

import java.util.Arrays;
import java.util.BitSet;

/** States of all rules, and what leads from one to another. Grows while it is written. */
final class StateTable {
    private static final int MOST_CELLS = 1 << 23;
    private static final int MOST_TARGETS = 1 << 22;

    private final int classes;
    /** By state and class: the target, −1 for none, or −2 − the place in {@code lists} of a count and so many targets. */
    private int[] cells = new int[1 << 10];
    private int[] lists = new int[64];
    private int listed;
    private int[] rules = new int[64];
    private int size;
    private final BitSet accepting = new BitSet();
    /** By state, in a list: rule, target. */
    private int[] callHeads = new int[64];
    private int[] callNexts = new int[64];
    private int[] callRules = new int[64];
    private int[] callTargets = new int[64];
    private int calls;

    StateTable(int classes) {
        this.classes = classes;
    }

    int size() {
        return size;
    }

    int classes() {
        return classes;
    }

    int add(int rule) {
        if ((size + 1L) * classes > MOST_CELLS || size == Nfa.MOST_STATES) {
            throw Nfa.tooLarge();
        }
        if (size == rules.length) {
            rules = Arrays.copyOf(rules, 2 * size);
            callHeads = Arrays.copyOf(callHeads, 2 * size);
        }
        while ((size + 1) * classes > cells.length) {
            cells = Arrays.copyOf(cells, 2 * cells.length);
        }
        Arrays.fill(cells, size * classes, (size + 1) * classes, -1);
        callHeads[size] = -1;
        rules[size] = rule;
        return size++;
    }

    /** Forgets all states from one on. */
    void truncate(int states, int callsBefore) {
        size = states;
        calls = callsBefore;
        accepting.clear(states, Math.max(states, accepting.length()));
    }

    int calls() {
        return calls;
    }

    void setAccepts(int state, boolean accepts) {
        accepting.set(state, accepts);
    }

    void setTarget(int state, int c, int target) {
        cells[state * classes + c] = target;
    }

    void setTargets(int state, int c, int[] targets) {
        if (targets.length == 1) {
            setTarget(state, c, targets[0]);
        } else if (targets.length > 1) {
            if (listed + targets.length + 1 > MOST_TARGETS) {
                throw Nfa.tooLarge();
            }
            while (listed + targets.length + 1 > lists.length) {
                lists = Arrays.copyOf(lists, 2 * lists.length);
            }
            setTarget(state, c, -2 - listed);
            lists[listed++] = targets.length;
            System.arraycopy(targets, 0, lists, listed, targets.length);
            listed += targets.length;
        }
    }

    void addCall(int state, int rule, int target) {
        if (calls == MOST_TARGETS) {
            throw Nfa.tooLarge();
        }
        if (calls == callNexts.length) {
            callNexts = Arrays.copyOf(callNexts, 2 * calls);
            callRules = Arrays.copyOf(callRules, 2 * calls);
            callTargets = Arrays.copyOf(callTargets, 2 * calls);
        }
        callNexts[calls] = callHeads[state];
        callRules[calls] = rule;
        callTargets[calls] = target;
        callHeads[state] = calls++;
    }

    /** Drops what leads nowhere, and gives the rest. */
    Automaton finish(int[] starts, int[] classOf) {
        BitSet alive = alive(starts);
        for (int i = 0; i < size * classes; i++) {
            cells[i] = trimmed(cells[i], alive);
        }
        int[] callStarts = new int[size + 1];
        int[] flatRules = new int[calls];
        int[] flatTargets = new int[calls];
        int count = 0;
        for (int state = 0; state < size; state++) {
            for (int call = callHeads[state]; call >= 0; call = callNexts[call]) {
                if (alive.get(callTargets[call]) && alive.get(starts[callRules[call]])) {
                    flatRules[count] = callRules[call];
                    flatTargets[count++] = callTargets[call];
                }
            }
            callStarts[state + 1] = count;
        }
        return new Automaton(starts, classOf, classes, Arrays.copyOf(cells, size * classes), lists, callStarts,
                Arrays.copyOf(flatRules, count), Arrays.copyOf(flatTargets, count), accepting, Arrays.copyOf(rules, size),
                alive.get(starts[0]));
    }

    private int trimmed(int cell, BitSet alive) {
        if (cell >= 0) {
            return alive.get(cell) ? cell : -1;
        }
        if (cell == -1) {
            return -1;
        }
        int at = -2 - cell;
        int kept = 0;
        for (int i = 1; i <= lists[at]; i++) {
            if (alive.get(lists[at + i])) {
                lists[at + ++kept] = lists[at + i];
            }
        }
        lists[at] = kept;
        return kept == 0 ? -1 : cell;
    }

    /** States from which a rule can come to its end. Back and forth, as most edges lead one way. */
    private BitSet alive(int[] starts) {
        BitSet alive = (BitSet) accepting.clone();
        boolean changed = true;
        for (boolean back = true; changed; back = !back) {
            changed = false;
            for (int i = 0; i < size; i++) {
                int state = back ? size - 1 - i : i;
                if (!alive.get(state) && leadsOn(state, alive, starts)) {
                    alive.set(state);
                    changed = true;
                }
            }
        }
        return alive;
    }

    private boolean leadsOn(int state, BitSet alive, int[] starts) {
        for (int i = state * classes; i < (state + 1) * classes; i++) {
            if (cells[i] >= 0 && alive.get(cells[i])) {
                return true;
            }
            if (cells[i] < -1) {
                int at = -2 - cells[i];
                for (int k = 1; k <= lists[at]; k++) {
                    if (alive.get(lists[at + k])) {
                        return true;
                    }
                }
            }
        }
        for (int call = callHeads[state]; call >= 0; call = callNexts[call]) {
            if (alive.get(callTargets[call]) && alive.get(starts[callRules[call]])) {
                return true;
            }
        }
        return false;
    }
}
