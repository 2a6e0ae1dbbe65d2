package dev.fovea.langchain4j;

import dev.fovea.model.TextListener;
import dev.langchain4j.data.message.AiMessage;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/**
 * Tells an answer as it comes: thoughts and text apart. Where there are tools, text is kept from the first character on that
 * a call may begin with, until the answer is complete and taken apart.
 */
final class PartialAnswer implements TextListener {
    static final String THINK = "<think>";
    static final String END_OF_THINK = "</think>";

    private enum Place { BEGIN, THOUGHTS, BEHIND_THOUGHTS, TEXT, CALL }

    private final BooleanSupplier isWanted;
    private final Told thoughts;
    private final Told text;
    /** What may be something else than text. */
    private final StringBuilder kept = new StringBuilder();
    private Place place = Place.TEXT;
    /** Texts of tokens, special ones too; null where there are no tools. */
    private IntFunction<String> tokens;

    PartialAnswer(BooleanSupplier isWanted, Consumer<String> thoughts, Consumer<String> text) {
        this.isWanted = isWanted;
        this.thoughts = new Told(thoughts);
        this.text = new Told(text);
    }

    /** What was told. */
    private record Told(Consumer<String> listener, StringBuilder all) {
        Told(Consumer<String> listener) {
            this(listener, new StringBuilder());
        }

        void tell(String piece) {
            if (!piece.isEmpty()) {
                all.append(piece);
                listener.accept(piece);
            }
        }

        void tellRest(String whole) {
            if (whole != null && whole.startsWith(all.toString())) {
                tell(whole.substring(all.length()));
            }
        }
    }

    /** The answer may begin with thoughts. {@code isOpen} if it does in any case, as the prompt ends with their mark. */
    void expectThoughts(boolean isOpen) {
        place = isOpen ? Place.THOUGHTS : Place.BEGIN;
    }

    /** The answer may have calls of tools. */
    void expectCalls(IntFunction<String> tokens) {
        this.tokens = tokens;
    }

    @Override
    public boolean next(CharSequence piece, int token) {
        if (piece.isEmpty() && token >= 0 && tokens != null && place != Place.THOUGHTS && call(tokens.apply(token)) >= 0) {
            place = Place.CALL; // special tokens have no text
        }
        kept.append(piece);
        Place before;
        do {
            before = place;
            step();
        } while (place != before);
        return isWanted.getAsBoolean();
    }

    private void step() {
        switch (place) {
            case BEGIN -> {
                String start = kept.toString().stripLeading();
                if (start.startsWith(THINK)) {
                    kept.delete(0, kept.indexOf(THINK) + THINK.length());
                    place = Place.THOUGHTS;
                } else if (!THINK.startsWith(start)) {
                    place = Place.TEXT;
                }
            }
            case THOUGHTS -> {
                int end = kept.indexOf(END_OF_THINK);
                String thought = take(end < 0 ? safe() : end);
                thoughts.tell(thoughts.all().isEmpty() ? thought.stripLeading() : thought);
                if (end >= 0) {
                    kept.delete(0, kept.indexOf(END_OF_THINK) + END_OF_THINK.length());
                    place = Place.BEHIND_THOUGHTS;
                }
            }
            case BEHIND_THOUGHTS -> {
                while (!kept.isEmpty() && Character.isWhitespace(kept.charAt(0))) {
                    kept.deleteCharAt(0);
                }
                place = kept.isEmpty() ? place : Place.TEXT;
            }
            case TEXT -> {
                int call = tokens == null ? -1 : call(kept);
                text.tell(take(tokens == null ? kept.length() : withoutSpace(call < 0 ? kept.length() : call)));
                place = call < 0 ? place : Place.CALL;
            }
            case CALL -> { }
        }
    }

    /** Takes the first characters, without space at their end. */
    private String take(int end) {
        int length = place == Place.THOUGHTS ? withoutSpace(end) : end;
        String taken = kept.substring(0, length);
        kept.delete(0, length);
        return taken;
    }

    private int withoutSpace(int end) {
        int length = end;
        while (length > 0 && Character.isWhitespace(kept.charAt(length - 1))) {
            length--;
        }
        return length;
    }

    /** How much of what is kept is no beginning of the end of thoughts. */
    private int safe() {
        for (int begin = Math.max(0, kept.length() - END_OF_THINK.length()); begin < kept.length(); begin++) {
            if (END_OF_THINK.startsWith(kept.substring(begin))) {
                return begin;
            }
        }
        return kept.length();
    }

    private static int call(CharSequence text) {
        for (int i = 0; i < text.length(); i++) {
            if ("<{[".indexOf(text.charAt(i)) >= 0) {
                return i;
            }
        }
        return -1;
    }

    /** Tells what is not told yet of an answer. */
    void complete(AiMessage message) {
        thoughts.tellRest(message.thinking());
        text.tellRest(message.text());
    }
}
