package dev.fovea.model;

import dev.fovea.model.sentence.Piece;
import java.util.List;

/** A text for a {@link TextEncoder}: one piece, or as many as the policy makes of it. */
final class TextInput extends EncoderInput<TextEmbedding> {
    private final String text;
    private final List<Piece> pieces;

    TextInput(BatchModel<TextEmbedding> model, String text, List<Piece> pieces) {
        super(model, pieces.stream().mapToInt(piece -> piece.ids().length).sum(),
                pieces.stream().anyMatch(Piece::truncated));
        this.text = text;
        this.pieces = pieces;
    }

    String text() {
        return text;
    }

    List<Piece> pieces() {
        return pieces;
    }
}
