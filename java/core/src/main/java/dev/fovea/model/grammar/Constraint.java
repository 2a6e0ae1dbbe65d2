package dev.fovea.model.grammar;

import java.util.Arrays;

/**
 * An answer that follows a grammar: which tokens may come next. What is written can be taken back. Allocates nothing on the
 * Java heap once the masks of the states are there that it comes to; for one thread at a time.
 */
public final class Constraint {
    private static final int MOST_ROOM = 1 << 18;

    private final TokenMasks masks;
    private final TokenTrie trie;
    private final Automaton automaton;
    private final int[] endIds;
    private final Recognizer recognizer;
    private final TokenMasks.Walk walk;
    private final long[] mask;
    private final boolean[] follows = new boolean[256];
    /** How many bytes there were before each token. */
    private int[] sizes;
    private int tokens;

    Constraint(TokenMasks masks, int[] endIds, int maxTokens) {
        this.masks = masks;
        this.trie = masks.trie();
        this.automaton = masks.automaton();
        this.endIds = endIds;
        this.recognizer = new Recognizer(automaton, Math.min(8 * maxTokens, MOST_ROOM));
        this.walk = masks.new Walk(masks.words());
        this.mask = new long[masks.words()];
        this.sizes = new int[maxTokens + 1];
        recognizer.start();
    }

    /** How many tokens were taken. */
    public int tokens() {
        return tokens;
    }

    /** Takes tokens back, so that so many are left. */
    public void truncate(int kept) {
        if (kept < 0 || kept > tokens) {
            throw new IllegalArgumentException("expected 0 to " + tokens + " tokens to be left, got " + kept);
        }
        if (kept < tokens) {
            recognizer.truncate(sizes[kept]);
            tokens = kept;
        }
    }

    /** Whether the text may end here. */
    public boolean canEnd() {
        return recognizer.canEnd();
    }

    /** Whether the text may end here, and nothing else may. */
    public boolean isComplete() {
        boolean reads = false;
        for (int item = recognizer.firstItem(); item < recognizer.endItem(); item++) {
            reads |= automaton.reads(recognizer.state(item));
        }
        return !reads && recognizer.canEnd();
    }

    /** Takes a token; false, and nothing changes, if it may not come next. One that ends texts is none of them. */
    public boolean accept(int token) {
        byte[] bytes = token >= 0 && token < trie.vocabulary() ? trie.spelling(token) : new byte[0];
        int sets = recognizer.sets();
        int first = tokens == 0 && trie.dropsFirstSpace() && bytes.length > 0 && bytes[0] == ' ' ? 1 : 0;
        boolean taken = bytes.length > first;
        recognizer.resetWork();
        for (int i = first; i < bytes.length && taken; i++) {
            taken = recognizer.advance(bytes[i] & 0xff) && !(first > 0 && bytes[i] == ' ');
        }
        if (!taken) {
            recognizer.truncate(sets);
            return false;
        }
        sizes = tokens == sizes.length ? Arrays.copyOf(sizes, 2 * tokens) : sizes;
        sizes[tokens++] = sets;
        return true;
    }

    /**
     * The tokens that may come next, a bit for each id; the next call changes it. Those that end texts are there exactly
     * where the text may end.
     *
     * @throws IllegalArgumentException if a grammar can be read in so many ways that there is no following it
     */
    public long[] mask() {
        Arrays.fill(mask, 0);
        recognizer.resetWork();
        int end = recognizer.endItem();
        for (int item = recognizer.firstItem(); item < end; item++) {
            TokenMasks.StateMask one = masks.of(recognizer.state(item), recognizer, walk);
            one.addTo(mask);
            if (one.behind().length > 0) {
                addBehind(automaton.rule(recognizer.state(item)), recognizer.origin(item), one.behind());
            }
        }
        if (tokens == 0 && trie.dropsFirstSpace()) {
            dropFirstSpaces();
        }
        if (recognizer.canEnd()) {
            for (int id : endIds) {
                mask[id >> 6] |= 1L << id;
            }
        }
        return mask;
    }

    /** Adds tokens that go on behind a rule which ends within them. */
    private void addBehind(int rule, int origin, int[] places) {
        int sets = recognizer.sets();
        if (!recognizer.pushBehind(rule, origin)) {
            return;
        }
        findFollowing();
        for (int place : places) {
            int end = trie.end(place);
            for (int child = place + 1; child < end; child = trie.end(child)) {
                if (follows[trie.byteOf(child)]) {
                    masks.add(recognizer, child, trie.end(child), trie.depth(place) + 1, mask);
                }
            }
        }
        recognizer.truncate(sets);
    }

    /** Which bytes may follow the last set. */
    private void findFollowing() {
        Arrays.fill(follows, false);
        int end = recognizer.endItem();
        for (int item = recognizer.firstItem(); item < end; item++) {
            int state = recognizer.state(item);
            if (automaton.reads(state)) {
                for (int b = 0; b < 256; b++) {
                    follows[b] |= automaton.next(state, b) != -1;
                }
            }
        }
    }

    /** A text's first token loses a space: tokens that begin with one stand for what is behind it. */
    private void dropFirstSpaces() {
        for (int node = 0; node < trie.size(); node = trie.end(node)) {
            if (trie.byteOf(node) == ' ') {
                clear(node);
                for (int child = node + 1; child < trie.end(node); child = trie.end(child)) {
                    if (trie.byteOf(child) != ' ') {
                        addWithoutSpaces(child);
                    }
                }
            }
        }
    }

    private void clear(int from) {
        for (int node = from; node < trie.end(from); node++) {
            for (int token = trie.token(node); token >= 0; token = trie.same(token)) {
                mask[token >> 6] &= ~(1L << token);
            }
        }
    }

    private void addWithoutSpaces(int from) {
        int sets = recognizer.sets();
        int node = from;
        while (node < trie.end(from)) {
            recognizer.truncate(sets + trie.depth(node) - 1);
            if (trie.byteOf(node) == ' ' || !recognizer.advance(trie.byteOf(node))) {
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
