package dev.fovea.model.sentence;

import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Makes pieces of texts for one model. Safe to share between threads. */
public final class PieceCutter {
    private final Tokenizer tokenizer;
    private final SentenceConfig config;
    private final String model;
    private final int specials;

    /** Tokens that fit between the special tokens. */
    private final int room;

    /**
     * Of texts for a model.
     *
     * @param model what errors call it
     */
    public PieceCutter(Tokenizer tokenizer, SentenceConfig config, String model) {
        this.tokenizer = tokenizer;
        this.config = config;
        this.model = model;
        this.specials = tokenizer.prefix().length + tokenizer.suffix().length;
        this.room = config.maxTokens() - specials;
    }

    /**
     * A text as one piece.
     *
     * @param label what an error calls the text
     * @throws IllegalArgumentException if it has too many tokens, or more than {@link Tokenizer#MAX_CHARS} chars; the
     *     message names both numbers
     */
    public Piece whole(String text, String label) {
        int[] body = body(text, label);
        if (body.length > room) {
            throw new IllegalArgumentException(label + " has " + (body.length + specials)
                    + " tokens, special tokens included; model " + model + " takes at most " + config.maxTokens());
        }
        return new Piece(framed(body, 0, body.length), 0, 1, false);
    }

    /**
     * The first tokens of a text, as many as the model takes.
     *
     * @throws IllegalArgumentException if it has more than {@link Tokenizer#MAX_CHARS} chars
     */
    public Piece truncated(String text, String label) {
        int[] body = body(text, label);
        return new Piece(framed(body, 0, Math.min(body.length, room)), 0, 1, body.length > room);
    }

    /**
     * As many pieces as it takes for all of a text, at least one.
     *
     * @throws IllegalArgumentException if it has more than {@link Tokenizer#MAX_CHARS} chars
     */
    public List<Piece> chunks(String text, String label) {
        int[] body = body(text, label);
        int parts = Math.max(1, Math.ceilDiv(body.length, room));
        List<Piece> pieces = new ArrayList<>(parts);
        for (int part = 0; part < parts; part++) {
            int start = part * room;
            int end = Math.min(start + room, body.length);
            pieces.add(new Piece(framed(body, start, end), part, parts, false));
        }
        return pieces;
    }

    /** The tokens of a text's {@link #whole} piece, as the vocabulary spells them. */
    public List<String> tokens(String text) {
        return tokenizer.inputTokens(read(text));
    }

    private int[] body(String text, String label) {
        String read = read(text);
        if (read.length() > Tokenizer.MAX_CHARS) {
            throw new IllegalArgumentException(
                    label + " has " + read.length() + " chars; at most " + Tokenizer.MAX_CHARS + " are taken");
        }
        return tokenizer.encode(read);
    }

    private String read(String text) {
        return config.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
    }

    /** Tokens {@code start} to {@code end} between the special tokens. */
    private int[] framed(int[] body, int start, int end) {
        int[] prefix = tokenizer.prefix();
        int[] suffix = tokenizer.suffix();
        int[] ids = Arrays.copyOf(prefix, prefix.length + end - start + suffix.length);
        System.arraycopy(body, start, ids, prefix.length, end - start);
        System.arraycopy(suffix, 0, ids, prefix.length + end - start, suffix.length);
        return ids;
    }
}
