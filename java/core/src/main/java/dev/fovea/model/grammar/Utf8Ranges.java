package dev.fovea.model.grammar;

import java.util.HashMap;
import java.util.Map;

/** Ranges of code points as edges of the bytes of their UTF-8, ends of characters shared. */
final class Utf8Ranges {
    /** The largest code points of one to four bytes. */
    private static final int[] ENDS = {0x7f, 0x7ff, 0xffff, Character.MAX_CODE_POINT};

    /** A byte's edge: what a state is for that has no other. */
    private record Edge(int first, int last, int to) {}

    private final Nfa nfa;
    private final int from;
    private final int to;
    private final Map<Edge, Integer> states = new HashMap<>();

    Utf8Ranges(Nfa nfa, int from, int to) {
        this.nfa = nfa;
        this.from = from;
        this.to = to;
    }

    void add(int first, int last) {
        for (int end : ENDS) {
            if (first <= end && last > end) {
                add(first, end);
                add(end + 1, last);
                return;
            }
        }
        // Cut where all continuations of a byte are there, or one alone.
        for (int bits = 6; bits < 24 && last > 0x7f; bits += 6) {
            int mask = (1 << bits) - 1;
            if ((first & ~mask) != (last & ~mask)) {
                if ((first & mask) != 0) {
                    add(first, first | mask);
                    add((first | mask) + 1, last);
                    return;
                }
                if ((last & mask) != mask) {
                    add(first, (last & ~mask) - 1);
                    add(last & ~mask, last);
                    return;
                }
            }
        }
        emit(Character.toString(first).getBytes(java.nio.charset.StandardCharsets.UTF_8),
                Character.toString(last).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    private void emit(byte[] first, byte[] last) {
        int at = to;
        for (int i = first.length - 1; i > 0; i--) {
            at = states.computeIfAbsent(new Edge(first[i] & 0xff, last[i] & 0xff, at), edge -> {
                int state = nfa.newState();
                nfa.bytes(state, edge.first(), edge.last(), edge.to());
                return state;
            });
        }
        nfa.bytes(from, first[0] & 0xff, last[0] & 0xff, at);
    }
}
