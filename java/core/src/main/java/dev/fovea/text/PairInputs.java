package dev.fovea.text;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * What a model reads of pairs that have their first text in common, such as a query and its documents. The first text is
 * tokenized once. For one thread.
 */
public final class PairInputs {
    private static final int USUAL_TOKENS = 512;

    private final Tokenizer tokenizer;
    private final List<SpecialTokens.Piece> template;
    private final int[] first;
    private final Truncation truncation;
    private final int specials;
    private final int room;
    private int[] second = new int[0];
    private MemorySegment secondIds = MemorySegment.ofArray(second);
    private int whole;

    /**
     * @param template of a pair
     * @param first the ids of the first text
     * @param limit the most tokens in all
     */
    PairInputs(Tokenizer tokenizer, List<SpecialTokens.Piece> template, int[] first, Truncation truncation, int limit) {
        this.tokenizer = tokenizer;
        this.template = template;
        this.first = first;
        this.truncation = truncation;
        this.specials = Inputs.specials(template, limit);
        this.room = limit - specials;
        reserve(Math.min(room, USUAL_TOKENS));
    }

    /** The most tokens of a pair. */
    public int limit() {
        return specials + room;
    }

    /**
     * Writes what {@link Tokenizer#input(String, String, Truncation, int)} gives. Once warm, it allocates nothing on the
     * Java heap.
     *
     * @param ids [≥ at + {@link #limit}], or as many as the pair has; the caller's
     * @param types likewise
     * @param at where the pair begins in them
     * @return the tokens of the pair
     * @throws IllegalArgumentException as that method does
     * @throws IllegalStateException if the tokenizer is closed
     */
    public int write(CharSequence text, int[] ids, int[] types, int at) {
        int tokens = tokenizer.encode(text, secondIds);
        if (tokens > second.length && second.length < room) {
            reserve(Math.min(room, tokens));
            tokenizer.encode(text, secondIds);
        }
        whole = specials + first.length + tokens;
        int keptOfFirst = truncation.keepFirst(first.length, tokens, room);
        int keptOfSecond = Math.min(tokens, room - keptOfFirst);
        int end = at;
        for (int i = 0; i < template.size(); i++) {
            SpecialTokens.Piece piece = template.get(i);
            int from = end;
            switch (piece.text()) {
                case 0 -> {
                    System.arraycopy(first, 0, ids, end, keptOfFirst);
                    end += keptOfFirst;
                }
                case 1 -> {
                    System.arraycopy(second, 0, ids, end, keptOfSecond);
                    end += keptOfSecond;
                }
                default -> {
                    for (int j = 0; j < piece.ids().size(); j++) {
                        ids[end++] = piece.ids().get(j);
                    }
                }
            }
            Arrays.fill(types, from, end, piece.type());
        }
        return end - at;
    }

    private void reserve(int tokens) {
        second = new int[tokens];
        secondIds = MemorySegment.ofArray(second);
    }

    /** The tokens that the pair which was written last has in all, be it cut or not. */
    public int whole() {
        return whole;
    }
}
