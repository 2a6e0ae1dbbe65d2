package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.CharSpan;
import java.util.List;

/** Puts the tokens of texts and special tokens together. */
final class Inputs {
    private Inputs() {}

    /**
     * A text's tokens, as the library gives them.
     *
     * @param spans in code points of the text; null for tokens that stand for none
     * @param words −1 for tokens that are of no word
     */
    record Body(String text, long[] ids, CharSpan[] spans, long[] words) {}

    static ModelInput of(List<SpecialTokens.Piece> template, List<Body> bodies, Truncation truncation, int limit) {
        int specials = 0;
        for (SpecialTokens.Piece piece : template) {
            specials += piece.ids().size();
        }
        int second = bodies.size() == 2 ? bodies.get(1).ids().length : 0;
        int first = bodies.getFirst().ids().length;
        if (limit < specials) {
            throw new IllegalArgumentException("expected a limit of at least " + specials
                    + " tokens, which are special ones, got " + limit);
        }
        int[] kept = truncation.keep(first, second, limit - specials);
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
        int chars = 0;
        int codePoints = 0;
        for (int i = 0; i < count; i++) {
            int at = from + i;
            input.ids()[at] = (int) body.ids()[i];
            input.types()[at] = piece.type();
            input.texts()[at] = piece.text();
            input.words()[at] = (int) body.words()[i];
            CharSpan span = body.spans()[i];
            if (span != null) {
                // Spans of one token may begin before those of the one before it: bytes of one character.
                chars = body.text().offsetByCodePoints(chars, span.getStart() - codePoints);
                codePoints = span.getStart();
                input.starts()[at] = chars;
                input.ends()[at] = body.text().offsetByCodePoints(chars, span.getEnd() - codePoints);
            }
        }
        return from + count;
    }
}
