package dev.fovea.model.grammar;

import dev.fovea.text.TokenDecoder;
import dev.fovea.text.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The bytes of all tokens of a vocabulary as a tree, in arrays: nodes stand in the order of a walk that goes down first, and
 * each knows where the walk goes on without what is below it. Immutable; safe to share.
 */
final class TokenTrie {
    /** Longer tokens are not written. */
    static final int MOST_BYTES = 1 << 12;
    private static final int ID_BITS = 24;
    private static final int KEY_BYTES = 4;

    private byte[] bytes = new byte[1 << 12];
    private short[] depths = new short[1 << 12];
    private int[] ends = new int[1 << 12];
    /** A token that ends at a node, or −1. */
    private int[] tokens = new int[1 << 12];
    private int size;
    /** The next token with the same bytes, or −1. */
    private final int[] same;
    private final byte[][] spellings;
    private final int vocabulary;
    private final boolean dropsFirstSpace;

    /**
     * Of the tokens that are text.
     *
     * @param vocabulary ids are below it
     * @param ends ids that end a text, and are none
     */
    TokenTrie(Tokenizer tokenizer, int vocabulary, int[] ends) {
        if (vocabulary > 1 << ID_BITS) {
            throw new IllegalArgumentException("expected a vocabulary of at most " + (1 << ID_BITS) + " tokens, got " + vocabulary);
        }
        this.vocabulary = vocabulary;
        this.same = new int[vocabulary];
        TokenDecoder decoder = tokenizer.decoder(false);
        this.dropsFirstSpace = decoder.dropsFirstSpace();
        BitSet isEnd = new BitSet();
        Arrays.stream(ends).forEach(isEnd::set);
        spellings = new byte[vocabulary][];
        long[] order = new long[vocabulary];
        int count = 0;
        for (int id = 0; id < vocabulary; id++) {
            spellings[id] = id < tokenizer.vocabularySize() && !isEnd.get(id) ? decoder.bytes(id) : new byte[0];
            if (spellings[id].length > 0 && spellings[id].length <= MOST_BYTES) {
                order[count++] = key(spellings[id]) << ID_BITS | id;
            }
        }
        Arrays.fill(same, -1);
        build(sorted(order, count));
    }

    /** The first bytes, as many as there is room for. */
    private static long key(byte[] spelling) {
        long key = 0;
        for (int i = 0; i < KEY_BYTES; i++) {
            key = key << 8 | (i < spelling.length ? spelling[i] & 0xff : 0);
        }
        return key;
    }

    /** Ids in the order of their bytes: numbers are sorted faster than arrays, and few have the same first bytes. */
    private int[] sorted(long[] order, int count) {
        Arrays.sort(order, 0, count);
        int[] ids = new int[count];
        for (int from = 0; from < count;) {
            int to = from + 1;
            while (to < count && order[to] >>> ID_BITS == order[from] >>> ID_BITS) {
                to++;
            }
            Integer[] group = new Integer[to - from];
            for (int i = from; i < to; i++) {
                group[i - from] = (int) order[i] & (1 << ID_BITS) - 1;
            }
            Arrays.sort(group, (a, b) -> Arrays.compareUnsigned(spellings[a], spellings[b]));
            for (int i = from; i < to; i++) {
                ids[i] = group[i - from];
            }
            from = to;
        }
        return ids;
    }

    private void build(int[] order) {
        byte[] last = new byte[0];
        int[] path = new int[MOST_BYTES + 1];
        for (int token : order) {
            byte[] spelling = spellings[token];
            int common = Arrays.mismatch(last, spelling);
            if (common < 0) {
                int node = path[spelling.length - 1];
                same[token] = tokens[node];
                tokens[node] = token;
                continue;
            }
            for (int depth = common; depth < last.length; depth++) {
                ends[path[depth]] = size;
            }
            for (int depth = common; depth < spelling.length; depth++) {
                path[depth] = add(spelling[depth], depth);
            }
            tokens[path[spelling.length - 1]] = token;
            last = spelling;
        }
        for (int depth = 0; depth < last.length; depth++) {
            ends[path[depth]] = size;
        }
    }

    private int add(byte b, int depth) {
        if (size == bytes.length) {
            bytes = Arrays.copyOf(bytes, 2 * size);
            depths = Arrays.copyOf(depths, 2 * size);
            ends = Arrays.copyOf(ends, 2 * size);
            tokens = Arrays.copyOf(tokens, 2 * size);
        }
        bytes[size] = b;
        depths[size] = (short) depth;
        tokens[size] = -1;
        return size++;
    }

    /** Ids are below it. */
    int vocabulary() {
        return vocabulary;
    }

    /** Whether a text loses a space with which it begins. */
    boolean dropsFirstSpace() {
        return dropsFirstSpace;
    }

    /** The number of nodes; each has a byte. The root has none and is not there. */
    int size() {
        return size;
    }

    int byteOf(int node) {
        return bytes[node] & 0xff;
    }

    /** How many nodes are above it. */
    int depth(int node) {
        return depths[node];
    }

    /** Behind all nodes below it. */
    int end(int node) {
        return ends[node];
    }

    /** A token that ends at a node, or −1. */
    int token(int node) {
        return tokens[node];
    }

    /** Another token of the same bytes, or −1. */
    int same(int token) {
        return same[token];
    }

    /** The bytes of a token; none if it is not text. */
    byte[] spelling(int token) {
        return spellings[token];
    }
}
