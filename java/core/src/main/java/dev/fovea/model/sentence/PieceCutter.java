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

    /** Of the prompt that was in use last. */
    private volatile Counted counted;

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
     * @param prompt what stands before the text
     * @param label what an error calls the text
     * @throws IllegalArgumentException if it has too many tokens, or more than {@link Tokenizer#MAX_CHARS} chars; the
     *     message names both numbers
     */
    public Piece whole(String prompt, String text, String label) {
        int[] body = body(prompt, text, label);
        if (body.length > room) {
            throw new IllegalArgumentException(label + " has " + (body.length + specials)
                    + " tokens, special tokens included; model " + model + " takes at most " + config.maxTokens());
        }
        return new Piece(framed(body, 0, body.length), 0, 1, false, promptTokens(prompt));
    }

    /**
     * The tokens of a text at its beginning, or at its end if the model's settings say so, as many as the model takes.
     *
     * @throws IllegalArgumentException if it has more than {@link Tokenizer#MAX_CHARS} chars
     */
    public Piece truncated(String prompt, String text, String label) {
        int[] body = body(prompt, text, label);
        int start = config.keepsEnd() ? Math.max(0, body.length - room) : 0;
        int end = Math.min(body.length, start + room);
        return new Piece(framed(body, start, end), 0, 1, body.length > room, promptTokens(prompt));
    }

    /**
     * Token ids of a text, as the tokenizer gives them, with no prompt before it; cut as {@link #truncated} cuts.
     *
     * @throws IllegalArgumentException if an id is not one of the tokenizer's
     */
    public Piece ofIds(int[] ids) {
        for (int id : ids) {
            if (id < 0 || id >= tokenizer.vocabularySize()) {
                throw new IllegalArgumentException("token ids of model " + model + " must be from 0 to "
                        + (tokenizer.vocabularySize() - 1) + ", got " + id);
            }
        }
        int start = config.keepsEnd() ? Math.max(0, ids.length - room) : 0;
        int end = Math.min(ids.length, start + room);
        return new Piece(framed(ids, start, end), 0, 1, ids.length > room, 0);
    }

    /**
     * As many pieces as it takes for all of a text, at least one.
     *
     * @throws IllegalArgumentException if it has more than {@link Tokenizer#MAX_CHARS} chars
     */
    public List<Piece> chunks(String prompt, String text, String label) {
        int[] body = body(prompt, text, label);
        int parts = Math.max(1, Math.ceilDiv(body.length, room));
        List<Piece> pieces = new ArrayList<>(parts);
        for (int part = 0; part < parts; part++) {
            int start = part * room;
            int end = Math.min(start + room, body.length);
            pieces.add(new Piece(framed(body, start, end), part, parts, false, part == 0 ? promptTokens(prompt) : 0));
        }
        return pieces;
    }

    /** The tokens of a text's {@link #whole} piece, as the vocabulary spells them. */
    public List<String> tokens(String prompt, String text) {
        return tokenizer.inputTokens(read(prompt, text));
    }

    private int[] body(String prompt, String text, String label) {
        String read = read(prompt, text);
        if (read.length() > Tokenizer.MAX_CHARS) {
            throw new IllegalArgumentException(
                    label + " has " + read.length() + " chars; at most " + Tokenizer.MAX_CHARS + " are taken");
        }
        return tokenizer.encode(read);
    }

    /** What the tokenizer sees: without white space around it, as sentence-transformers does. */
    private String read(String prompt, String text) {
        String read = strip(prompt.isEmpty() ? text : prompt + text);
        return config.lowerCase() ? read.toLowerCase(Locale.ROOT) : read;
    }

    private static String strip(String text) {
        int start = 0;
        int end = text.length();
        while (start < end && isSpace(text.charAt(start))) {
            start++;
        }
        while (end > start && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(start, end);
    }

    /** What Python takes for white space: all of it is in the basic plane. */
    private static boolean isSpace(char c) {
        return c == ' ' || c >= '\t' && c <= '\r' || c >= 0x1c && c <= 0x1f || c == 0x85
                || c > 0x7f && Character.isSpaceChar(c);
    }

    /**
     * How many tokens the prompt itself has, with the special tokens before it, as the pooling leaves them out: those
     * that a text of the prompt alone has, less the last if it is a special one.
     */
    private int promptTokens(String prompt) {
        if (config.includePrompt() || prompt.isEmpty()) {
            return 0;
        }
        Counted last = counted;
        if (last == null || !last.prompt.equals(prompt)) {
            int body = Math.min(room, tokenizer.encode(read(prompt, "")).length);
            last = new Counted(prompt, body + specials - (tokenizer.suffix().length > 0 ? 1 : 0));
            counted = last;
        }
        return last.tokens;
    }

    /** The tokens of a prompt. */
    private record Counted(String prompt, int tokens) {}

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
