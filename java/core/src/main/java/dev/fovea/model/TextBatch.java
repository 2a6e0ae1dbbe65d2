package dev.fovea.model;

import dev.fovea.model.sentence.Piece;
import dev.fovea.model.sentence.PieceMean;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Pieces on their way through the model, as one ragged batch. Reused for batch after batch; for one thread. */
final class TextBatch {
    /** A batch of this many tokens keeps all cores busy, and its workspace small. */
    private static final int MAX_TOKENS = 2048;

    private final EncoderModel model;
    private final List<TextEmbedding> results;
    private final List<Piece> pieces = new ArrayList<>();
    private int[] ids = new int[64];
    private int tokens;

    /** Of the text whose pieces are only partly encoded, or null. */
    private PieceMean mean;

    /** A batch whose embeddings are appended to {@code results}, one per text. */
    TextBatch(EncoderModel model, List<TextEmbedding> results) {
        this.model = model;
        this.results = results;
    }

    /** Whether there is nothing to encode. */
    boolean isEmpty() {
        return pieces.isEmpty();
    }

    /** Whether a piece still fits. An empty batch takes any. */
    boolean fits(Piece piece) {
        return pieces.isEmpty() || tokens + piece.ids().length <= MAX_TOKENS;
    }

    /** Appends a piece; those of one text come one after the other. */
    void add(Piece piece) {
        int end = tokens + piece.ids().length;
        if (end > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(end, Math.min(2 * ids.length, MAX_TOKENS)));
        }
        System.arraycopy(piece.ids(), 0, ids, tokens, piece.ids().length);
        tokens = end;
        pieces.add(piece);
    }

    /** Encodes what has been added, and empties the batch. */
    void encode(EncoderSession session) {
        int dimension = model.dimension();
        float[] vectors = new float[pieces.size() * dimension];
        float[] pooled = vectors;
        MemorySegment tokenIds = MemorySegment.ofArray(ids);
        MemorySegment offsets = MemorySegment.ofArray(offsets());
        MemorySegment out = MemorySegment.ofArray(vectors);
        if (model.keepsPooled()) {
            pooled = new float[vectors.length];
            session.encode(pieces.size(), tokenIds, offsets, out, MemorySegment.ofArray(pooled));
        } else {
            session.encode(pieces.size(), tokenIds, offsets, out);
        }
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            float[] source = piece.isWhole() ? vectors : pooled;
            finish(piece, Arrays.copyOfRange(source, i * dimension, (i + 1) * dimension));
        }
        pieces.clear();
        tokens = 0;
    }

    private void finish(Piece piece, float[] vector) {
        if (piece.isWhole()) {
            results.add(new TextEmbedding(piece.ids().length, piece.truncated(), vector));
            return;
        }
        if (mean == null) {
            mean = new PieceMean(model.dimension());
        }
        mean.add(vector, piece.ids().length);
        if (piece.isLast()) {
            results.add(new TextEmbedding(mean.tokens(), false, mean.finish(model.sentence().normalize())));
            mean = null;
        }
    }

    private int[] offsets() {
        int[] offsets = new int[pieces.size() + 1];
        for (int i = 0; i < pieces.size(); i++) {
            offsets[i + 1] = offsets[i] + pieces.get(i).ids().length;
        }
        return offsets;
    }
}
