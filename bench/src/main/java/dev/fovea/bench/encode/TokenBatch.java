package dev.fovea.bench.encode;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Texts as token ids.
 *
 * @param ids [tokens], one text after the other, special tokens included
 * @param offsets [sequences + 1], where each text starts in {@code ids}, and last the number of tokens
 */
public record TokenBatch(int[] ids, int[] offsets) {
    /** A batch of {@code sequences}, one after the other. */
    public static TokenBatch of(List<int[]> sequences) {
        int[] offsets = new int[sequences.size() + 1];
        for (int i = 0; i < sequences.size(); i++) {
            offsets[i + 1] = offsets[i] + sequences.get(i).length;
        }
        return new TokenBatch(sequences.stream().flatMapToInt(Arrays::stream).toArray(), offsets);
    }

    /**
     * Batches of English prose: consecutive parts of {@link Sentences}, from the start again after the last, each of
     * {@code length} tokens.
     *
     * @param count batches
     * @param length at least 3, the special tokens at both ends included
     */
    public static List<TokenBatch> ofProse(int count, int sequences, int length) throws IOException {
        List<int[]> sentences = Sentences.tokenized(Sentences.ALL.size());
        int[] words = of(sentences.stream().map(ids -> Arrays.copyOfRange(ids, 1, ids.length - 1)).toList()).ids();
        int first = sentences.getFirst()[0];
        int last = sentences.getFirst()[sentences.getFirst().length - 1];
        List<int[]> parts = new ArrayList<>();
        int next = 0;
        for (int part = 0; part < count * sequences; part++) {
            int[] ids = new int[length];
            ids[0] = first;
            for (int i = 1; i < length - 1; i++) {
                ids[i] = words[next++ % words.length];
            }
            ids[length - 1] = last;
            parts.add(ids);
        }
        return IntStream.range(0, count)
                .mapToObj(batch -> of(parts.subList(batch * sequences, (batch + 1) * sequences)))
                .toList();
    }

    /** Texts. */
    public int sequences() {
        return offsets.length - 1;
    }

    /** Tokens of a text. */
    int length(int sequence) {
        return offsets[sequence + 1] - offsets[sequence];
    }

    /** Tokens of the longest text. */
    int longest() {
        int longest = 0;
        for (int i = 0; i < sequences(); i++) {
            longest = Math.max(longest, length(i));
        }
        return longest;
    }
}
