package dev.fovea.internal.text;

import dev.fovea.internal.files.Utf8;

/**
 * A unigram language model (Kudo, arXiv:1804.10959): of all ways to cut a word into pieces the one of the largest sum of
 * scores, found by Viterbi's algorithm.
 */
public final class Unigram implements Model {
    /** What a character of no piece scores less than the worst piece. */
    private static final double PENALTY = 10;

    private final Vocabulary vocabulary;
    private final double[] scores;
    private final int unknown;
    private final double unknownScore;
    private final PieceTrie trie = new PieceTrie();
    /** The pieces that stand for bytes, or −1; null without such pieces. */
    private final int[] byteTokens;

    /**
     * Takes pieces in the order of their ids.
     *
     * @param scores of pieces; NaN for those that no text has
     * @param unknown the id of the piece that stands for what no piece has
     * @param fallsBackToBytes whether pieces such as {@code <0x0A>} stand for the bytes of that
     */
    public Unigram(Vocabulary vocabulary, double[] scores, int unknown, boolean fallsBackToBytes) {
        this.vocabulary = vocabulary;
        this.scores = scores;
        this.unknown = unknown;
        double least = Double.POSITIVE_INFINITY;
        for (int i = 0; i < scores.length; i++) {
            if (!Double.isNaN(scores[i])) {
                trie.add(vocabulary.token(i), i);
                least = Math.min(least, scores[i]);
            }
        }
        this.unknownScore = least - PENALTY;
        this.byteTokens = fallsBackToBytes ? new int[256] : null;
        for (int b = 0; fallsBackToBytes && b < 256; b++) {
            byteTokens[b] = vocabulary.id("<0x%02X>".formatted(b));
        }
    }

    @Override
    public Vocabulary vocabulary() {
        return vocabulary;
    }

    @Override
    public void tokenize(Scratch scratch, Characters text, int from, int to) {
        PiecePath path = scratch.path;
        path.reserve(to - from + 1);
        for (int at = from; at < to; at++) {
            extend(path, text.codes, from, at, to);
        }
        int chosen = 0;
        for (int end = to - from; end > 0;) {
            int start = path.starts[end];
            if (path.pieces[end] == unknown) {
                // Unknown pieces in a row are one.
                while (start > 0 && path.pieces[start] == unknown) {
                    start = path.starts[start];
                }
            }
            path.chosen[chosen++] = start;
            end = start;
        }
        for (int i = chosen - 1; i >= 0; i--) {
            add(scratch.tokens, text, from + path.chosen[i], i == 0 ? to : from + path.chosen[i - 1]);
        }
    }

    /** Goes on from one place by each piece that the rest begins with. */
    private void extend(PiecePath path, int[] codes, int from, int at, int to) {
        double score = path.scores[at - from];
        boolean hasSingle = false;
        int node = trie.next(0, codes[at]);
        for (int end = at + 1; node >= 0; end++) {
            int piece = trie.piece(node);
            if (piece >= 0) {
                reach(path, end - from, score + scores[piece], at - from, piece);
                hasSingle |= end == at + 1;
            }
            node = end < to ? trie.next(node, codes[end]) : -1;
        }
        if (!hasSingle) {
            reach(path, at + 1 - from, unknownScore + score, at - from, unknown);
        }
    }

    private static void reach(PiecePath path, int place, double score, int start, int piece) {
        if (path.starts[place] < 0 || score > path.scores[place]) {
            path.scores[place] = score;
            path.starts[place] = start;
            path.pieces[place] = piece;
        }
    }

    private void add(Tokens tokens, Characters text, int from, int to) {
        int node = 0;
        for (int i = from; i < to && node >= 0; i++) {
            node = trie.next(node, text.codes[i]);
        }
        int piece = node < 0 ? -1 : trie.piece(node);
        if (piece < 0 && byteTokens != null && addBytes(tokens, text, from, to)) {
            return;
        }
        tokens.add(piece < 0 ? unknown : piece, text, from, to);
        tokens.spell(text, from, to);
    }

    private boolean addBytes(Tokens tokens, Characters text, int from, int to) {
        int before = tokens.size();
        for (int i = from; i < to; i++) {
            int bytes = Utf8.bytes(text.codes[i]);
            for (int k = 0; k < bytes; k++) {
                int b = PairMerges.utf8(text.codes[i], bytes, k);
                if (byteTokens[b] < 0) {
                    tokens.cut(before);
                    return false;
                }
                tokens.add(byteTokens[b], text, from, to);
                if (tokens.spells()) {
                    tokens.spell(vocabulary.tokenOf(byteTokens[b]));
                }
            }
        }
        return true;
    }
}
