package dev.fovea.internal.text;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/** Pieces by their code points: which of them does a text begin with? */
final class PieceTrie {
    private final long seed = ThreadLocalRandom.current().nextLong();

    /** By open addressing: a node and a code point, plus 1; and the node that they lead to. */
    private long[] edges = new long[1 << 12];
    private int[] targets = new int[1 << 12];
    private int count;
    /** The piece that a node ends, or −1; node 0 is the begin. */
    private int[] pieces = new int[1 << 12];
    private int nodes = 1;

    PieceTrie() {
        pieces[0] = -1;
    }

    /** Adds a piece; of two that are equal the later one counts. */
    void add(String piece, int index) {
        int node = 0;
        for (int i = 0; i < piece.length(); i += Character.charCount(piece.codePointAt(i))) {
            node = grow(node, piece.codePointAt(i));
        }
        if (node > 0) {
            pieces[node] = index;
        }
    }

    private int grow(int node, int codePoint) {
        int slot = slot(edge(node, codePoint));
        if (edges[slot] != 0) {
            return targets[slot];
        }
        edges[slot] = edge(node, codePoint);
        targets[slot] = nodes;
        if (nodes == pieces.length) {
            pieces = Arrays.copyOf(pieces, 2 * nodes);
        }
        pieces[nodes] = -1;
        if (2 * ++count > edges.length) {
            rehash();
        }
        return nodes++;
    }

    private void rehash() {
        long[] oldEdges = edges;
        int[] oldTargets = targets;
        edges = new long[2 * oldEdges.length];
        targets = new int[edges.length];
        for (int i = 0; i < oldEdges.length; i++) {
            if (oldEdges[i] != 0) {
                int slot = slot(oldEdges[i]);
                edges[slot] = oldEdges[i];
                targets[slot] = oldTargets[i];
            }
        }
    }

    private static long edge(int node, int codePoint) {
        return ((long) node << 21 | codePoint) + 1;
    }

    private int slot(long edge) {
        long hash = (edge ^ seed) * 0x9E3779B97F4A7C15L;
        int slot = (int) (hash ^ hash >>> 32) & edges.length - 1;
        while (edges[slot] != 0 && edges[slot] != edge) {
            slot = slot + 1 & edges.length - 1;
        }
        return slot;
    }

    /** The node behind another one, or −1. */
    int next(int node, int codePoint) {
        int slot = slot(edge(node, codePoint));
        return edges[slot] == 0 ? -1 : targets[slot];
    }

    /** The piece that ends at a node, or −1. */
    int piece(int node) {
        return pieces[node];
    }
}
