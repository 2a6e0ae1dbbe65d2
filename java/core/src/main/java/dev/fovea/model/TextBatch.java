package dev.fovea.model;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.sentence.Piece;
import dev.fovea.model.sentence.PieceMean;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiFunction;

/** Pieces on their way through the model, as one ragged batch. Reused for batch after batch; for one thread. */
final class TextBatch {
    /** A batch of this many tokens keeps all cores busy, and its workspace small. */
    static final int MAX_TOKENS = 2048;

    private final EncoderModel model;
    private final List<TextEmbedding> results;
    private final int maxTokens;
    private final List<Piece> pieces = new ArrayList<>();
    private final List<String> labels = new ArrayList<>();
    private final List<String> texts = new ArrayList<>();
    private int[] ids = new int[64];
    private int tokens;
    private long encoded;

    /** Of the text whose pieces are only partly encoded, or null. */
    private PieceMean mean;

    /** A batch whose embeddings are appended to {@code results}, one per text. */
    TextBatch(EncoderModel model, List<TextEmbedding> results) {
        this(model, results, MAX_TOKENS);
    }

    /** As above, with at most so many tokens at a time, but for a piece that has more. */
    TextBatch(EncoderModel model, List<TextEmbedding> results, int maxTokens) {
        this.model = model;
        this.results = results;
        this.maxTokens = maxTokens;
    }

    /**
     * Encodes texts; returns the number of their tokens.
     *
     * @param cut makes pieces of a text and what an error calls it
     */
    long encode(List<String> texts, BiFunction<String, String, List<Piece>> cut, EncoderSession session) {
        int index = 0;
        for (String text : texts) {
            String label = texts.size() == 1 ? "the text" : "texts[" + index++ + "]";
            for (Piece piece : cut.apply(Objects.requireNonNull(text, label), label)) {
                add(piece, label, text, session);
            }
        }
        finish(session);
        return encoded;
    }

    /**
     * Appends a piece, after it has encoded what it has if there is no room for more; the pieces of one text come one after
     * the other. An empty batch has room for any.
     *
     * @param label what an error calls the text
     */
    void add(Piece piece, String label, String text, EncoderSession session) {
        if (tokens + piece.ids().length > maxTokens) {
            finish(session);
        }
        int end = tokens + piece.ids().length;
        if (end > ids.length) {
            ids = Arrays.copyOf(ids, Math.max(end, Math.min(2 * ids.length, MAX_TOKENS)));
        }
        System.arraycopy(piece.ids(), 0, ids, tokens, piece.ids().length);
        tokens = end;
        pieces.add(piece);
        labels.add(label);
        texts.add(text);
    }

    /** Encodes what has been added, if anything, and empties the batch. */
    void finish(EncoderSession session) {
        if (!pieces.isEmpty()) {
            encode(session);
        }
    }

    private void encode(EncoderSession session) {
        float[] vectors = new float[pieces.size() * model.dimension()];
        float[] pooled = model.keepsPooled() ? new float[pieces.size() * model.pipeline().components()] : null;
        int[] offsets = offsets();
        try {
            session.encode(pieces.size(), MemorySegment.ofArray(ids), MemorySegment.ofArray(offsets), promptTokens(),
                    MemorySegment.ofArray(vectors), pooled == null ? null : MemorySegment.ofArray(pooled));
        } catch (NotFiniteException e) {
            throw notFinite(e);
        }
        for (int i = 0; i < pieces.size(); i++) {
            Piece piece = pieces.get(i);
            float[] source = piece.isWhole() ? vectors : pooled;
            int components = source.length / pieces.size();
            finish(piece, Arrays.copyOfRange(source, i * components, (i + 1) * components));
        }
        pieces.clear();
        labels.clear();
        texts.clear();
        encoded += tokens;
        tokens = 0;
    }

    /** Tokens of all that has been encoded. */
    long encodedTokens() {
        return encoded;
    }

    private ArithmeticException notFinite(NotFiniteException e) {
        String cause = model.nonFiniteWord(pieces.get(e.sequence()).ids());
        var named = new ArithmeticException(labels.get(e.sequence()) + " (\""
                + Excerpt.of(texts.get(e.sequence()), 40) + "\") has a vector of model " + model.name()
                + " that is not finite" + (cause == null ? "" : ": " + cause));
        named.initCause(e);
        return named;
    }

    private int[] promptTokens() {
        int[] counts = new int[pieces.size()];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = pieces.get(i).promptTokens();
        }
        return counts;
    }

    private void finish(Piece piece, float[] vector) {
        if (piece.isWhole()) {
            results.add(new TextEmbedding(piece.ids().length, piece.truncated(), vector));
            return;
        }
        if (mean == null) {
            mean = new PieceMean(model.pipeline().components());
        }
        mean.add(vector, piece.ids().length);
        if (piece.isLast()) {
            float[] vectorOfAll = mean.finish(model.dimension(), model.sentence().normalizes());
            results.add(new TextEmbedding(mean.tokens(), false, vectorOfAll));
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
