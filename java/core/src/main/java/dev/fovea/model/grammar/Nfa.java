package dev.fovea.model.grammar;

import java.util.Arrays;

/** States and edges that are put together: by bytes, by nothing, or by what a rule matches. */
final class Nfa {
    /** More than any grammar has that somebody wrote for use. */
    static final int MOST_STATES = 1 << 17;
    private static final int MOST_EDGES = 1 << 21;

    static final int BYTES = 0;
    static final int NOTHING = 1;
    static final int CALL = 2;

    private int[] heads = new int[64];
    private int states;
    /** Edges of a state form a list. */
    private int[] nexts = new int[64];
    private int[] kinds = new int[64];
    private int[] firsts = new int[64];
    private int[] lasts = new int[64];
    private int[] targets = new int[64];
    private int edges;

    int newState() {
        if (states == MOST_STATES) {
            throw tooLarge();
        }
        if (states == heads.length) {
            heads = Arrays.copyOf(heads, 2 * states);
        }
        heads[states] = -1;
        return states++;
    }

    static IllegalArgumentException tooLarge() {
        return new IllegalArgumentException("the format is too large: it has more than " + MOST_STATES + " states");
    }

    private void edge(int from, int kind, int first, int last, int to) {
        if (edges == MOST_EDGES) {
            throw tooLarge();
        }
        if (edges == nexts.length) {
            nexts = Arrays.copyOf(nexts, 2 * edges);
            kinds = Arrays.copyOf(kinds, 2 * edges);
            firsts = Arrays.copyOf(firsts, 2 * edges);
            lasts = Arrays.copyOf(lasts, 2 * edges);
            targets = Arrays.copyOf(targets, 2 * edges);
        }
        nexts[edges] = heads[from];
        kinds[edges] = kind;
        firsts[edges] = first;
        lasts[edges] = last;
        targets[edges] = to;
        heads[from] = edges++;
    }

    /** One of the bytes from {@code first} to {@code last}. */
    void bytes(int from, int first, int last, int to) {
        edge(from, BYTES, first, last, to);
    }

    void nothing(int from, int to) {
        edge(from, NOTHING, 0, 0, to);
    }

    void call(int from, int rule, int to) {
        edge(from, CALL, rule, rule, to);
    }

    int states() {
        return states;
    }

    /** The first edge of a state, or −1. */
    int first(int state) {
        return heads[state];
    }

    /** The next edge of the same state, or −1. */
    int next(int edge) {
        return nexts[edge];
    }

    int kind(int edge) {
        return kinds[edge];
    }

    int target(int edge) {
        return targets[edge];
    }

    int rule(int edge) {
        return firsts[edge];
    }

    boolean takes(int edge, int b) {
        return kinds[edge] == BYTES && b >= firsts[edge] && b <= lasts[edge];
    }

    /** Makes a call that ends a rule one of nothing to the rule's begin. */
    void replaceCall(int edge, int start) {
        kinds[edge] = NOTHING;
        targets[edge] = start;
    }

    /** For each byte, the number of its class: bytes that no edge tells apart have the same. The count stands behind them. */
    int[] classes() {
        boolean[] begins = new boolean[257];
        for (int i = 0; i < edges; i++) {
            if (kinds[i] == BYTES) {
                begins[firsts[i]] = true;
                begins[lasts[i] + 1] = true;
            }
        }
        int[] classes = new int[257];
        int count = 0;
        for (int b = 0; b < 256; b++) {
            count += b > 0 && begins[b] ? 1 : 0;
            classes[b] = count;
        }
        classes[256] = count + 1;
        return classes;
    }
}
