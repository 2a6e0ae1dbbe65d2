package dev.fovea.text;

import java.util.Arrays;
import java.util.List;

/** Puts the tokens of texts and special tokens together. */
final class Inputs {
    private Inputs() {}

    /**
     * A text's tokens.
     *
     * @param starts where tokens begin in the text, in chars
     * @param ends where they end
     * @param words the numbers of the words that they are of; −1 for tokens that are of no word
     */
    record Body(int[] ids, int[] starts, int[] ends, int[] words) {}

    static ModelInput of(List<SpecialTokens.Piece> template, List<Body> bodies, Truncation truncation, int limit) {
        int specials = specials(template, limit);
        int second = bodies.size() == 2 ? bodies.get(1).ids().length : 0;
        int first = bodies.getFirst().ids().length;
        int keptOfFirst = truncation.keepFirst(first, second, limit - specials);
        int[] kept = {keptOfFirst, Math.min(second, limit - specials - keptOfFirst)};
        int tokens = specials + kept[0] + kept[1];
        var input = new ModelInput(new int[tokens], new int[tokens], new int[tokens], new int[tokens], new int[tokens],
                new int[tokens], kept[0] < first || kept[1] < second);
        int at = 0;
        for (SpecialTokens.Piece piece : template) {
            at = piece.text() < 0 ? special(piece, input, at)
                    : body(bodies.get(piece.text()), kept[piece.text()], piece, input, at);
        }
        return input;
    }

    /** The special tokens of a template, for which there must be room. */
    static int specials(List<SpecialTokens.Piece> template, int limit) {
        int specials = 0;
        for (SpecialTokens.Piece piece : template) {
            specials += piece.ids().size();
        }
        if (limit < specials) {
            throw new IllegalArgumentException("expected a limit of at least " + specials
                    + " tokens, which are special ones, got " + limit);
        }
        return specials;
    }

    private static int special(SpecialTokens.Piece piece, ModelInput input, int from) {
        int at = from;
        for (int id : piece.ids()) {
            input.ids()[at] = id;
            input.types()[at] = piece.type();
            input.texts()[at] = -1;
            input.words()[at++] = -1;
        }
        return at;
    }

    private static int body(Body body, int count, SpecialTokens.Piece piece, ModelInput input, int from) {
        System.arraycopy(body.ids(), 0, input.ids(), from, count);
        System.arraycopy(body.starts(), 0, input.starts(), from, count);
        System.arraycopy(body.ends(), 0, input.ends(), from, count);
        System.arraycopy(body.words(), 0, input.words(), from, count);
        Arrays.fill(input.types(), from, from + count, piece.type());
        Arrays.fill(input.texts(), from, from + count, piece.text());
        return from + count;
    }
}
