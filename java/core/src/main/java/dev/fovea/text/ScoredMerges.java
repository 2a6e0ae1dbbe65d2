package dev.fovea.text;

import com.google.gson.JsonArray;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.text.MergeTable;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import java.util.Arrays;

/**
 * The merges that the scores of SentencePiece's pieces stand for: each piece that two others make, the best score first. In
 * the order in which transformers writes them to a {@code tokenizer.json}: of equal scores, the longer first part first, then
 * the longer second part, then the smaller id of the piece.
 */
final class ScoredMerges {
    private static final String SCORES = GgufTokens.PREFIX + "scores";
    /** The most characters of a piece; SentencePiece's own limit is 16, unless a model is trained with another. */
    private static final int MOST_CHARACTERS = 256;
    private static final int MOST_PER_TOKEN = 64;

    private final GgufTokens tokens;
    private final Vocabulary vocabulary;
    /** A merge: what is not sorted by yet, and the ids of its parts and of what they become. */
    private long[] order = new long[1 << 10];
    private int[] parts = new int[3 << 10];
    private int size;
    /** Where the merges of the last score begin. */
    private int begin;
    private final MergeTable table = new MergeTable();

    ScoredMerges(GgufTokens tokens, Vocabulary vocabulary) throws FormatException {
        this.tokens = tokens;
        this.vocabulary = vocabulary;
        long[] ids = inOrder();
        for (int i = 0; i < ids.length; i++) {
            if (i > 0 && ids[i] >>> 32 != ids[i - 1] >>> 32) {
                endScore();
            }
            add((int) ids[i]);
        }
        endScore();
    }

    /** The tokens that may be merged, the best score first: the score, turned to sort so, and the id. */
    private long[] inOrder() throws FormatException {
        float[] scores = tokens.metadata().numbers(SCORES);
        if (scores.length != tokens.size()) {
            throw tokens.metadata().error(SCORES, "expected a score for each of " + tokens.size() + " tokens, got "
                    + scores.length);
        }
        long[] ids = new long[scores.length];
        int count = 0;
        for (int id = 0; id < scores.length; id++) {
            boolean isUsers = tokens.type(id) == GgufTokens.Type.USER_DEFINED;
            if (isUsers || tokens.type(id) == GgufTokens.Type.NORMAL || tokens.type(id) == GgufTokens.Type.BYTE) {
                // Converters give users' tokens a low score; in SentencePiece they come before all others.
                int bits = Float.floatToIntBits(isUsers ? Float.POSITIVE_INFINITY : scores[id] + 0f);
                int ascending = bits < 0 ? ~bits : bits | Integer.MIN_VALUE;
                ids[count++] = (long) ~ascending << 32 | id;
            }
        }
        ids = Arrays.copyOf(ids, count);
        for (int i = 0; i < count; i++) {
            ids[i] ^= Long.MIN_VALUE;
        }
        Arrays.sort(ids);
        return ids;
    }

    /** Adds all ways to make a piece of two. */
    private void add(int id) throws FormatException {
        String text = tokens.text(id);
        int characters = text.codePointCount(0, text.length());
        if (characters > MOST_CHARACTERS) {
            if (tokens.type(id) == GgufTokens.Type.USER_DEFINED) {
                return; // it is found before texts are merged
            }
            throw tokens.metadata().error(GgufTokens.TOKENS, "expected tokens of at most " + MOST_CHARACTERS
                    + " characters, got one of " + characters + ", '" + Excerpt.of(text) + "'");
        }
        int before = 0;
        char[] chars = text.toCharArray();
        for (int at = 0; at < chars.length;) {
            at += Character.charCount(text.codePointAt(at));
            before++;
            int first = at < chars.length ? vocabulary.id(chars, 0, at) : -1;
            int second = first < 0 ? -1 : vocabulary.id(chars, at, chars.length);
            if (second >= 0 && isMergeable(first) && isMergeable(second)) {
                put(before, characters - before, first, second, id);
            }
        }
    }

    private boolean isMergeable(int id) {
        return tokens.type(id) != GgufTokens.Type.CONTROL && tokens.type(id) != GgufTokens.Type.UNUSED;
    }

    private void put(int firstLength, int secondLength, int first, int second, int both) throws FormatException {
        if (size >= (long) MOST_PER_TOKEN * tokens.size()) {
            throw tokens.metadata().error(GgufTokens.TOKENS, "expected at most " + MOST_PER_TOKEN + " ways to make a token of two"
                    + " others, on average, got more");
        }
        if (size == order.length) {
            order = Arrays.copyOf(order, 2 * size);
            parts = Arrays.copyOf(parts, 6 * size);
        }
        // Lengths descend, and the order of the pieces stays.
        order[size] = (long) (MOST_CHARACTERS - firstLength) << 42 | (long) (MOST_CHARACTERS - secondLength) << 32
                | size;
        parts[3 * size] = first;
        parts[3 * size + 1] = second;
        parts[3 * size++ + 2] = both;
    }

    /** Adds the merges of a score to the table, in their order. */
    private void endScore() {
        Arrays.sort(order, begin, size);
        for (int i = begin; i < size; i++) {
            int at = 3 * (int) order[i];
            table.add(parts[at], parts[at + 1], parts[at + 2]);
        }
        begin = size;
    }

    MergeTable table() {
        return table;
    }

    /** The merges as a {@code tokenizer.json} has them. */
    JsonArray json() {
        JsonArray list = new JsonArray();
        for (int i = 0; i < size; i++) {
            int at = 3 * (int) order[i];
            JsonArray pair = new JsonArray();
            pair.add(tokens.text(parts[at]));
            pair.add(tokens.text(parts[at + 1]));
            list.add(pair);
        }
        return list;
    }
}
