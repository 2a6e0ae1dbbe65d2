package dev.fovea.model;

import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A sequence that the model reads: a text, or a part of one.
 *
 * @param ids token ids, special tokens included
 * @param part which part of its text this is
 * @param parts how many parts the text has
 * @param truncated whether tokens of the text were dropped
 */
record Piece(int[] ids, int part, int parts, boolean truncated) {
    /** Whether it is all that its text has. */
    boolean isWhole() {
        return parts == 1;
    }

    /** Whether no other part of its text follows. */
    boolean isLast() {
        return part == parts - 1;
    }

    /** Makes pieces of texts for one model. Safe to share between threads. */
    static final class Cutter {
        private final Tokenizer tokenizer;
        private final SentenceConfig config;
        private final LengthPolicy policy;
        private final String model;

        Cutter(Tokenizer tokenizer, SentenceConfig config, LengthPolicy policy, String model) {
            this.tokenizer = tokenizer;
            this.config = config;
            this.policy = policy;
            this.model = model;
        }

        /**
         * The pieces of a text, at least one.
         *
         * @param label what an error calls the text
         * @throws IllegalArgumentException if it has more than {@link Tokenizer#MAX_CHARS} chars, or too many tokens
         *     and the policy is {@link LengthPolicy#ERROR}
         */
        List<Piece> cut(String text, String label) {
            return cut(text, label, policy);
        }

        /** The only piece of a text; one that has too many tokens is refused, whatever the policy. */
        Piece whole(String text, String label) {
            return cut(text, label, LengthPolicy.ERROR).getFirst();
        }

        /** The tokens of a text's {@link #whole} piece, as the vocabulary spells them. */
        List<String> tokens(String text) {
            return tokenizer.inputTokens(read(text));
        }

        private String read(String text) {
            return config.lowerCase() ? text.toLowerCase(Locale.ROOT) : text;
        }

        private List<Piece> cut(String text, String label, LengthPolicy policy) {
            String read = read(text);
            if (read.length() > Tokenizer.MAX_CHARS) {
                throw new IllegalArgumentException(
                        label + " has " + read.length() + " chars; at most " + Tokenizer.MAX_CHARS + " are taken");
            }
            int[] body = tokenizer.encode(read);
            int specials = tokenizer.prefix().length + tokenizer.suffix().length;
            int room = config.maxTokens() - specials;
            if (body.length <= room) {
                return List.of(new Piece(framed(body, 0, body.length), 0, 1, false));
            }
            return switch (policy) {
                case TRUNCATE -> List.of(new Piece(framed(body, 0, room), 0, 1, true));
                case ERROR -> throw new IllegalArgumentException(label + " has " + (body.length + specials)
                        + " tokens, special tokens included; model " + model + " takes at most " + config.maxTokens());
                case CHUNK_MEAN -> chunks(body, room);
            };
        }

        private List<Piece> chunks(int[] body, int room) {
            int parts = Math.ceilDiv(body.length, room);
            List<Piece> pieces = new ArrayList<>(parts);
            for (int part = 0; part < parts; part++) {
                int start = part * room;
                int end = Math.min(start + room, body.length);
                pieces.add(new Piece(framed(body, start, end), part, parts, false));
            }
            return pieces;
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
}
