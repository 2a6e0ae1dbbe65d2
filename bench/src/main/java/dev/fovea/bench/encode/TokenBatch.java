package dev.fovea.bench.encode;

import java.util.Random;

/**
 * Texts as token ids, all of one length.
 *
 * @param sequences texts
 * @param length tokens of each, special tokens included
 * @param ids [sequences × length], one text after the other
 */
record TokenBatch(int sequences, int length, int[] ids) {
    private static final int CLS = 101;
    private static final int SEP = 102;
    /** BERT's English vocabulary has its whole words from here to its end; before them are characters. */
    private static final int FIRST_WORD = 1996;

    private static final int VOCABULARY = 30_522;

    /** Random words between the special tokens of BERT. */
    static TokenBatch random(Random random, int sequences, int length) {
        int[] ids = new int[sequences * length];
        for (int i = 0; i < ids.length; i++) {
            int position = i % length;
            ids[i] = position == 0 ? CLS : position == length - 1 ? SEP : random.nextInt(FIRST_WORD, VOCABULARY);
        }
        return new TokenBatch(sequences, length, ids);
    }
}
