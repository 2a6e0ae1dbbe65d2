package dev.fovea.model;

import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.chat.CallFormat;
import dev.fovea.model.grammar.FormatReader;
import dev.fovea.model.grammar.Thoughts;
import dev.fovea.text.Tokenizer;
import java.util.List;
import java.util.Objects;

/** Tells one answer in a chat as it comes, its parts apart. */
final class AnswerParts implements TextListener {
    private enum Place { BEGIN, REASONING, BEHIND_REASONING, CONTENT, CALL }

    private final ChatListener listener;
    private final Tokenizer tokenizer;
    /** Null where nothing is a call, or no more. */
    private CallFormat calls;
    /** Reads a call that stands alone; null where one may stand among what is said, or nothing is one. */
    private final FormatReader call;
    /** How much of what is kept it has read. */
    private int read;
    private final boolean isOpen;
    private final StringBuilder reasoning = new StringBuilder();
    private final StringBuilder content = new StringBuilder();
    /** What is not certain yet. */
    private final StringBuilder kept = new StringBuilder();
    private Place place;
    private int token;
    private boolean goesOn;

    /**
     * What tells an answer.
     *
     * @param thinks whether the model is one that may think
     * @param expected what is known of the answer
     * @param calls how calls look; null where nothing is one
     */
    AnswerParts(ChatListener listener, Tokenizer tokenizer, boolean thinks, ExpectedAnswer expected, CallFormat calls) {
        this.listener = Objects.requireNonNull(listener, "listener");
        this.tokenizer = tokenizer;
        this.calls = calls;
        this.call = expected.call() == null ? null : expected.call().compiled().reader();
        this.isOpen = expected.isOpen();
        this.place = !expected.begin().isEmpty() ? Place.CALL : thinks ? Place.BEGIN : Place.CONTENT;
    }

    @Override
    public void probability(float logProbability, List<Alternative> alternatives) {
        listener.probability(logProbability, alternatives);
    }

    @Override
    public boolean next(CharSequence text, int token) {
        this.token = token;
        goesOn = true;
        if (place == Place.CONTENT && calls == null) {
            content.append(text);
            return listener.next(Part.CONTENT, text, token);
        }
        kept.append(text);
        special();
        Place before;
        do {
            before = place;
            step();
        } while (place != before);
        if (this.token >= 0) {
            goesOn &= listener.next(place == Place.BEGIN || place == Place.REASONING ? Part.REASONING : Part.CONTENT, "", token);
        }
        return goesOn;
    }

    /** Special tokens have no text, but may be marks. */
    private void special() {
        if (token < 0 || token >= tokenizer.vocabularySize() || !tokenizer.isSpecial(token)) {
            return;
        }
        String spelled = tokenizer.text(token);
        if (spelled.equals(Thoughts.BEGIN) && place == Place.BEGIN || spelled.equals(Thoughts.END) && place == Place.REASONING) {
            kept.append(spelled);
        } else if (calls != null && call == null && place == Place.CONTENT && calls.begin(spelled, false) == 0) {
            place = Place.CALL;
        }
    }

    private void step() {
        switch (place) {
            case BEGIN -> leaveBegin();
            case REASONING -> {
                int end = kept.indexOf(Thoughts.END);
                String thought = take(withoutSpace(end < 0 ? kept.length() - beginOfEnd() : end));
                tell(Part.REASONING, reasoning.isEmpty() ? thought.stripLeading() : thought);
                if (end >= 0) {
                    kept.delete(0, kept.indexOf(Thoughts.END) + Thoughts.END.length());
                    place = Place.BEHIND_REASONING;
                }
            }
            case BEHIND_REASONING -> {
                take(leadingSpace());
                place = kept.isEmpty() ? place : Place.CONTENT;
            }
            case CONTENT -> {
                if (call != null && calls != null) {
                    takeCall();
                } else {
                    int begin = calls == null ? -1 : calls.begin(kept, content.isEmpty());
                    tell(Part.CONTENT, take(calls == null ? kept.length() : withoutSpace(begin < 0 ? kept.length() : begin)));
                    place = begin >= 0 && calls.isBegun(kept) ? Place.CALL : place;
                }
            }
            case CALL -> { }
        }
    }

    /** All is kept that may be the begin of a call. */
    private void takeCall() {
        if (!call.take(kept.substring(read))) {
            calls = null;
            tell(Part.CONTENT, take(kept.length()));
        }
        read = kept.length();
    }

    private void leaveBegin() {
        String start = kept.toString().stripLeading();
        if (start.startsWith(Thoughts.BEGIN)) {
            take(leadingSpace() + Thoughts.BEGIN.length());
            place = Place.REASONING;
        } else if (!Thoughts.BEGIN.startsWith(start)) {
            place = isOpen ? Place.REASONING : Place.CONTENT;
        }
    }

    private String take(int length) {
        String taken = kept.substring(0, length);
        kept.delete(0, length);
        return taken;
    }

    private int leadingSpace() {
        int length = 0;
        while (length < kept.length() && Character.isWhitespace(kept.charAt(length))) {
            length++;
        }
        return length;
    }

    private int withoutSpace(int end) {
        int length = end;
        while (length > 0 && Character.isWhitespace(kept.charAt(length - 1))) {
            length--;
        }
        return length;
    }

    /** How many of the last characters may be the begin of the end of thoughts. */
    private int beginOfEnd() {
        for (int begin = Math.max(0, kept.length() - Thoughts.END.length() + 1); begin < kept.length(); begin++) {
            if (Thoughts.END.startsWith(kept.substring(begin))) {
                return kept.length() - begin;
            }
        }
        return 0;
    }

    private void tell(Part part, CharSequence text) {
        if (!text.isEmpty()) {
            (part == Part.REASONING ? reasoning : content).append(text);
            goesOn &= listener.next(part, text, token);
            token = -1;
        }
    }

    /** Tells what is not told yet of an answer, if it was not cancelled. */
    ChatAnswer complete(ChatAnswer answer) {
        if (answer.generated().finish() != Finish.CANCELLED) {
            token = -1;
            tell(Part.REASONING, rest(answer.reasoning(), reasoning));
            tell(Part.CONTENT, rest(answer.content(), content));
        }
        return answer;
    }

    private static String rest(String whole, CharSequence told) {
        String begin = told.toString();
        // Where there are calls, what is said has no white space at its ends.
        begin = whole.startsWith(begin) ? begin : begin.stripLeading();
        return whole.startsWith(begin) ? whole.substring(begin.length()) : "";
    }
}
