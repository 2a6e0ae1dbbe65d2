package dev.fovea.internal.text;

/**
 * WordPiece (Wu et al., arXiv:1609.08144): the longest token that the word begins with, then the longest that the rest
 * begins with, and so on. A word whose rest begins with none is unknown as a whole.
 *
 * @param unknown the id of the token that stands for such words, and for too long ones
 * @param prefix of tokens that go on with a word, such as {@code ##}
 * @param longestWord in code points
 */
public record WordPiece(Vocabulary vocabulary, int unknown, String prefix, int longestWord) implements Model {
    /** The library's time for one word grows with the square of its length. */
    public static final int MOST_CHARS = 1000;

    @Override
    public void tokenize(Scratch scratch, Characters text, int from, int to) {
        Tokens tokens = scratch.tokens;
        int before = tokens.size();
        int at = to - from > longestWord ? -1 : from;
        while (at >= 0 && at < to) {
            at = longest(scratch, text, from, at, to);
        }
        if (at < 0) {
            tokens.cut(before);
            tokens.add(unknown, text, from, to);
            if (tokens.spells()) {
                tokens.spell(vocabulary.tokenOf(unknown));
            }
        }
    }

    /** Adds the longest token that begins at {@code at}; gives where it ends, or −1 if there is none. */
    private int longest(Scratch scratch, Characters text, int from, int at, int to) {
        String before = at == from ? "" : prefix;
        long[] hashes = scratch.symbols.hashes;
        long hash = vocabulary.hash(vocabulary.seed(), before);
        int most = Math.min(to, at + vocabulary.longest());
        for (int i = at; i < most; i++) {
            hash = Vocabulary.step(hash, text.codes[i]);
            hashes[i - at] = hash;
        }
        for (int end = most; end > at; end--) {
            int id = vocabulary.find(hashes[end - at - 1], before, text.codes, at, end);
            if (id >= 0) {
                scratch.tokens.add(id, text, at, end);
                if (scratch.tokens.spells()) {
                    scratch.tokens.spell(before + new String(text.codes, at, end - at));
                }
                return end;
            }
        }
        return -1;
    }
}
