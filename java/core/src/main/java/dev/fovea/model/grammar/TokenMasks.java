package dev.fovea.model.grammar;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Which tokens may follow, for each state of an automaton: computed once, for whoever comes to the state, and whatever rules
 * it was called from. Where a token goes beyond the end of the state's rule it depends on these: of such tokens the places
 * are noted in the tree of tokens at which the rule ends. Dong et al., XGrammar, arXiv:2411.15100, have the same idea.
 *
 * <p>Safe to share between threads, without a lock: two that come to the same state compute the same.
 */
final class TokenMasks {
    private static final StateMask NOTHING = new StateMask(null, new int[0], new int[0]);
    /** Fewer tokens than one in so many are kept as a list. */
    private static final int SPARSE = 64;
    /** Nodes of the tree that are visited ahead: a fraction of a second. States that are left are computed when met. */
    private static final long MOST_VISITS = 1 << 26;
    /** What is kept of masks as a whole; others are computed again. */
    private static final int MOST_BYTES = 1 << 26;

    private final Automaton automaton;
    private final TokenTrie trie;
    private final AtomicReferenceArray<StateMask> masks;
    private final AtomicLong kept = new AtomicLong();

    /**
     * The tokens that may follow a state.
     *
     * @param bits null if {@code tokens} has all of them
     * @param behind nodes of the tree at which the state's rule may end with some of the tree below
     */
    record StateMask(long[] bits, int[] tokens, int[] behind) {
        void addTo(long[] mask) {
            if (bits != null) {
                for (int i = 0; i < bits.length; i++) {
                    mask[i] |= bits[i];
                }
            }
            for (int token : tokens) {
                mask[token >> 6] |= 1L << token;
            }
        }
    }

    TokenMasks(Automaton automaton, TokenTrie trie) {
        this.automaton = automaton;
        this.trie = trie;
        this.masks = new AtomicReferenceArray<>(automaton.size());
    }

    Automaton automaton() {
        return automaton;
    }

    TokenTrie trie() {
        return trie;
    }

    /** Longs of a mask. */
    int words() {
        return trie.vocabulary() + 63 >> 6;
    }

    /** Computes what there is time for. */
    void prepare() {
        var recognizer = new Recognizer(automaton, 256);
        var walk = new Walk(words());
        recognizer.start();
        for (int state = 0; state < automaton.size() && walk.visits < MOST_VISITS; state++) {
            recognizer.resetWork();
            of(state, recognizer, walk);
        }
    }

    /** The tokens that may follow a state, computed if need be by what a caller lends; its sets are as before. */
    StateMask of(int state, Recognizer recognizer, Walk walk) {
        StateMask mask = masks.get(state);
        if (mask == null) {
            mask = automaton.reads(state) ? compute(state, recognizer, walk) : NOTHING;
            long bytes = 4L * (mask.tokens().length + mask.behind().length) + (mask.bits() == null ? 0 : 8L * words());
            if (kept.addAndGet(bytes) <= MOST_BYTES) {
                masks.set(state, mask);
            }
        }
        return mask;
    }

    private StateMask compute(int state, Recognizer recognizer, Walk walk) {
        int sets = recognizer.sets();
        walk.start();
        walk.all(recognizer, state);
        recognizer.truncate(sets);
        int[] places = Arrays.copyOf(walk.places, walk.placeCount);
        if (walk.tokens > trie.vocabulary() / SPARSE) {
            return new StateMask(walk.bits.clone(), new int[0], places);
        }
        int[] tokens = new int[walk.tokens];
        int count = 0;
        for (int i = 0; i < walk.bits.length; i++) {
            for (long left = walk.bits[i]; left != 0; left &= left - 1) {
                tokens[count++] = (i << 6) + Long.numberOfTrailingZeros(left);
            }
        }
        return new StateMask(null, tokens, places);
    }

    /** Goes through the tree of tokens. Room for it; for one thread at a time. */
    final class Walk {
        private final long[] bits;
        private int tokens;
        private int[] places = new int[64];
        private int placeCount;
        private long visits;
        /** Whether something may follow the end of the state's rule. */
        private boolean goesOn;
        /** The states of the nodes above. */
        private final int[] path = new int[TokenTrie.MOST_BYTES + 1];

        Walk(int words) {
            bits = new long[words];
        }

        private void start() {
            Arrays.fill(bits, 0);
            tokens = 0;
            placeCount = 0;
        }

        /** Notes the tokens that may follow a state. As long as a state leads to one that calls no rule, it is all there is. */
        private void all(Recognizer recognizer, int state) {
            path[0] = state;
            goesOn = automaton.isCalled(automaton.rule(state));
            int sets = recognizer.sets();
            int node = 0;
            while (node < trie.size()) {
                visits++;
                int depth = trie.depth(node);
                int target = automaton.next(path[depth], trie.byteOf(node));
                if (target == -1) {
                    node = trie.end(node);
                } else if (target < 0 || automaton.calls(target)) {
                    recognizer.pushOne(path[depth]);
                    behind(recognizer, node, trie.end(node), depth);
                    recognizer.truncate(sets);
                    node = trie.end(node);
                } else {
                    path[depth + 1] = target;
                    note(node, automaton.accepts(target));
                    node++;
                }
            }
        }

        /** Notes those of a part of the tree that may follow the recognizer's last set, which begins at a depth. */
        private void behind(Recognizer recognizer, int first, int end, int depth) {
            int base = recognizer.sets() - depth;
            int node = first;
            while (node < end) {
                visits++;
                recognizer.truncate(base + trie.depth(node));
                if (recognizer.advance(trie.byteOf(node))) {
                    note(node, recognizer.leavesOutside());
                    node++;
                } else {
                    node = trie.end(node);
                }
            }
        }

        private void note(int node, boolean leaves) {
            for (int token = trie.token(node); token >= 0; token = trie.same(token)) {
                bits[token >> 6] |= 1L << token;
                tokens++;
            }
            if (leaves && goesOn && trie.end(node) > node + 1) {
                places = placeCount == places.length ? Arrays.copyOf(places, 2 * placeCount) : places;
                places[placeCount++] = node;
            }
        }
    }

    /** Adds the tokens of a part of the tree that may follow the recognizer's last set; its sets are as before. */
    void add(Recognizer recognizer, int first, int end, int depth, long[] mask) {
        int sets = recognizer.sets();
        int base = sets - depth;
        int node = first;
        while (node < end) {
            recognizer.truncate(base + trie.depth(node));
            if (!recognizer.advance(trie.byteOf(node))) {
                node = trie.end(node);
                continue;
            }
            for (int token = trie.token(node); token >= 0; token = trie.same(token)) {
                mask[token >> 6] |= 1L << token;
            }
            node++;
        }
        recognizer.truncate(sets);
    }
}
