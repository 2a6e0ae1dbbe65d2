package dev.fovea.model.grammar;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Sets of states that the same bytes lead to: Rabin and Scott, Finite Automata and Their Decision Problems, 1959. Calls of
 * rules are symbols as bytes are.
 */
final class Subsets {
    /** A set of states by what it has. */
    private record Key(int[] states) {
        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && Arrays.equals(states, key.states);
        }

        @Override
        public int hashCode() {
            return Arrays.hashCode(states);
        }
    }

    private final Nfa nfa;
    /** That of the rule at hand. */
    private int end;
    private final int[] marks;
    private int mark;
    private final int[] stack;
    private final int[] found;

    /** Of one that is complete. */
    Subsets(Nfa nfa) {
        this.nfa = nfa;
        this.marks = new int[nfa.states()];
        this.stack = new int[nfa.states()];
        this.found = new int[nfa.states()];
    }

    /** The states that matter of those that are reached by nothing: with edges of bytes or calls, or the end. Sorted. */
    int[] closure(int... from) {
        mark++;
        int depth = 0;
        int count = 0;
        for (int state : from) {
            if (marks[state] != mark) {
                marks[state] = mark;
                stack[depth++] = state;
            }
        }
        while (depth > 0) {
            int state = stack[--depth];
            boolean matters = state == end;
            for (int edge = nfa.first(state); edge >= 0; edge = nfa.next(edge)) {
                int target = nfa.target(edge);
                if (nfa.kind(edge) != Nfa.NOTHING) {
                    matters = true;
                } else if (marks[target] != mark) {
                    marks[target] = mark;
                    stack[depth++] = target;
                }
            }
            if (matters) {
                found[count++] = state;
            }
        }
        int[] sorted = Arrays.copyOf(found, count);
        Arrays.sort(sorted);
        return sorted;
    }

    /** Whether nothing but the end follows a state. */
    boolean isEnd(int state, int ruleEnd) {
        end = ruleEnd;
        return Arrays.equals(closure(state), new int[] {ruleEnd});
    }

    /**
     * Adds a rule, from its begin to its end.
     *
     * @param work how much may be done; if more is needed, a part of it is there and the result is false
     */
    boolean write(int start, int ruleEnd, int[] classes, StateTable out, int rule, long work) {
        end = ruleEnd;
        Map<Key, Integer> numbers = new HashMap<>();
        List<int[]> sets = new ArrayList<>();
        int first = out.size();
        number(closure(start), numbers, sets, out, rule);
        int[] representatives = representatives(classes);
        long left = work;
        for (int i = 0; i < sets.size(); i++) {
            int[] set = sets.get(i);
            left -= (long) (set.length + 8) * (representatives.length + 8);
            if (left < 0) {
                return false;
            }
            out.setAccepts(first + i, Arrays.binarySearch(set, end) >= 0);
            for (int c = 0; c < representatives.length; c++) {
                int[] targets = step(set, representatives[c]);
                if (targets.length > 0) {
                    out.setTarget(first + i, c, number(closure(targets), numbers, sets, out, rule));
                }
            }
            for (var call : calls(set).entrySet()) {
                int[] targets = call.getValue().stream().mapToInt(Integer::intValue).toArray();
                out.addCall(first + i, call.getKey(), number(closure(targets), numbers, sets, out, rule));
            }
        }
        return true;
    }

    /** A byte of each class. */
    static int[] representatives(int[] classes) {
        int[] representatives = new int[classes[256]];
        for (int b = 255; b >= 0; b--) {
            representatives[classes[b]] = b;
        }
        return representatives;
    }

    private int number(int[] set, Map<Key, Integer> numbers, List<int[]> sets, StateTable out, int rule) {
        Integer known = numbers.get(new Key(set));
        if (known == null) {
            known = out.add(rule);
            numbers.put(new Key(set), known);
            sets.add(set);
        }
        return known;
    }

    private int[] step(int[] set, int b) {
        int count = 0;
        int[] targets = new int[4];
        for (int state : set) {
            for (int edge = nfa.first(state); edge >= 0; edge = nfa.next(edge)) {
                if (nfa.takes(edge, b)) {
                    targets = count == targets.length ? Arrays.copyOf(targets, 2 * count) : targets;
                    targets[count++] = nfa.target(edge);
                }
            }
        }
        return Arrays.copyOf(targets, count);
    }

    private Map<Integer, List<Integer>> calls(int[] set) {
        Map<Integer, List<Integer>> calls = new TreeMap<>();
        for (int state : set) {
            for (int edge = nfa.first(state); edge >= 0; edge = nfa.next(edge)) {
                if (nfa.kind(edge) == Nfa.CALL) {
                    calls.computeIfAbsent(nfa.rule(edge), _ -> new ArrayList<>()).add(nfa.target(edge));
                }
            }
        }
        return calls;
    }

    /** As {@link #write}, but with sets of targets instead of states for sets: not larger than what it is made of. */
    void writePlain(int start, int ruleEnd, int[] classes, StateTable out, int rule) {
        end = ruleEnd;
        Map<Integer, Integer> numbers = new HashMap<>();
        List<Integer> states = new ArrayList<>();
        // The begin is a state for a set.
        int begin = out.add(rule);
        int[] representatives = representatives(classes);
        writeOne(closure(start), begin, representatives, numbers, states, out, rule);
        for (int i = 0; i < states.size(); i++) {
            int state = states.get(i);
            writeOne(new int[] {state}, numbers.get(state), representatives, numbers, states, out, rule);
        }
    }

    private void writeOne(int[] set, int number, int[] representatives, Map<Integer, Integer> numbers, List<Integer> states,
            StateTable out, int rule) {
        out.setAccepts(number, Arrays.binarySearch(set, end) >= 0);
        for (int c = 0; c < representatives.length; c++) {
            int[] targets = step(set, representatives[c]);
            if (targets.length > 0) {
                out.setTargets(number, c, numbers(closure(targets), numbers, states, out, rule));
            }
        }
        for (var call : calls(set).entrySet()) {
            int[] targets = call.getValue().stream().mapToInt(Integer::intValue).toArray();
            for (int target : numbers(closure(targets), numbers, states, out, rule)) {
                out.addCall(number, call.getKey(), target);
            }
        }
    }

    private static int[] numbers(int[] set, Map<Integer, Integer> numbers, List<Integer> states, StateTable out, int rule) {
        int[] found = new int[set.length];
        for (int i = 0; i < set.length; i++) {
            Integer known = numbers.get(set[i]);
            if (known == null) {
                known = out.add(rule);
                numbers.put(set[i], known);
                states.add(set[i]);
            }
            found[i] = known;
        }
        return found;
    }
}
