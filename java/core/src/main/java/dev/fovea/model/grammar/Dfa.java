package dev.fovea.model.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An expression without calls as states of which a byte leads to one alone: what is needed to say "both" and "not".
 *
 * @param targets by state and byte: the target, or −1
 */
record Dfa(List<int[]> targets, BitSet accepting) {
    private static final long MOST_WORK = 1 << 24;
    private static final int MOST_STATES = 1 << 14;

    static Dfa of(Expression expression) {
        var nfa = new Nfa();
        int start = nfa.newState();
        int end = new NfaBuilder(nfa, List.of(), new BitSet()).append(expression, start);
        int[] classes = nfa.classes();
        var table = new StateTable(classes[256]);
        if (!new Subsets(nfa).write(start, end, classes, table, 0, MOST_WORK)) {
            throw Nfa.tooLarge();
        }
        Automaton states = table.finish(new int[] {0}, classes);
        if (states.size() > MOST_STATES) {
            throw Nfa.tooLarge();
        }
        List<int[]> targets = new ArrayList<>();
        BitSet accepting = new BitSet();
        for (int state = 0; state < states.size(); state++) {
            int[] row = new int[256];
            for (int b = 0; b < 256; b++) {
                row[b] = states.next(state, b);
            }
            targets.add(row);
            accepting.set(state, states.accepts(state));
        }
        return new Dfa(targets, accepting);
    }

    /** What this matches, and the other does too, or does not. The state −1 is where nothing matches any more. */
    Dfa and(Dfa other, boolean not) {
        Map<Long, Integer> numbers = new HashMap<>();
        List<long[]> pairs = new ArrayList<>();
        List<int[]> rows = new ArrayList<>();
        BitSet ends = new BitSet();
        number(0, 0, numbers, pairs);
        for (int i = 0; i < pairs.size(); i++) {
            int one = (int) pairs.get(i)[0];
            int two = (int) pairs.get(i)[1];
            ends.set(i, accepting.get(one) && (two >= 0 && other.accepting.get(two)) != not);
            int[] row = new int[256];
            for (int b = 0; b < 256; b++) {
                int nextOne = targets.get(one)[b];
                int nextTwo = two < 0 ? -1 : other.targets.get(two)[b];
                row[b] = nextOne < 0 || nextTwo < 0 && !not ? -1 : number(nextOne, nextTwo, numbers, pairs);
            }
            rows.add(row);
        }
        return new Dfa(rows, ends);
    }

    private static int number(int one, int two, Map<Long, Integer> numbers, List<long[]> pairs) {
        return numbers.computeIfAbsent((long) one << 32 | two & 0xffffffffL, _ -> {
            if (pairs.size() == MOST_STATES) {
                throw Nfa.tooLarge();
            }
            pairs.add(new long[] {one, two});
            return pairs.size() - 1;
        });
    }

    /** Puts it behind a state; where it ends. */
    int appendTo(Nfa nfa, int from) {
        int[] states = new int[targets.size()];
        Arrays.setAll(states, _ -> nfa.newState());
        int end = nfa.newState();
        nfa.nothing(from, states[0]);
        for (int i = 0; i < states.length; i++) {
            int[] row = targets.get(i);
            for (int b = 0; b < 256;) {
                int first = b;
                while (b < 256 && row[b] == row[first]) {
                    b++;
                }
                if (row[first] >= 0) {
                    nfa.bytes(states[i], first, b - 1, states[row[first]]);
                }
            }
            if (accepting.get(i)) {
                nfa.nothing(states[i], end);
            }
        }
        return end;
    }
}
