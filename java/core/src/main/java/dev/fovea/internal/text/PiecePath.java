package dev.fovea.internal.text;

import java.util.Arrays;

/** The best way from the begin of a word to each of its places. */
final class PiecePath {
    /** The score of the way to a place, where its last piece begins, and which piece that is. */
    double[] scores = new double[64];
    int[] starts = new int[64];
    int[] pieces = new int[64];
    /** The pieces of the whole word, last ones first: where they begin. */
    int[] chosen = new int[64];

    void reserve(int places) {
        if (places > scores.length) {
            int room = Math.max(places, 2 * scores.length);
            scores = new double[room];
            starts = new int[room];
            pieces = new int[room];
            chosen = new int[room];
        }
        Arrays.fill(starts, 0, places, -1);
        scores[0] = 0;
    }
}
