package dev.fovea.model;

import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.generation.StopTexts;
import dev.fovea.model.generation.TokenRequest;
import dev.fovea.text.TokenDecoder;
import java.util.List;

/** Makes a text of the tokens of an answer, and tells a listener of it. Serves one answer at a time. */
final class AnswerText {
    private static final int FIRST_CHARS = 1 << 12;

    private final WatchedCall call;
    private final StopTexts stops = new StopTexts();
    private final StringBuilder piece = new StringBuilder(FIRST_CHARS);
    private final StringBuilder certain = new StringBuilder(FIRST_CHARS);
    private final StringBuilder text = new StringBuilder(FIRST_CHARS);
    private TokenDecoder decoder;
    private int vocabulary;
    private TextListener listener;

    AnswerText(WatchedCall call) {
        this.call = call;
    }

    /** What its answers tell those who watch. */
    WatchedCall call() {
        return call;
    }

    /**
     * Begins an answer.
     *
     * @param decoder null where tokens have no text
     * @param vocabulary ids below it have one
     */
    void start(TokenDecoder decoder, int vocabulary, List<String> stops, TextListener listener) {
        this.decoder = decoder;
        this.vocabulary = vocabulary;
        this.listener = listener;
        this.stops.start(stops);
        text.setLength(0);
    }

    /** Gives the listener the text of a token; what ends the answer, or null. */
    Finish say(int token) {
        piece.setLength(0);
        certain.setLength(0);
        if (decoder != null && token < vocabulary) {
            decoder.add(token, piece);
        }
        boolean stopped = stops.add(piece, certain);
        text.append(certain);
        boolean goesOn = listener.next(certain, token);
        return stopped ? Finish.STOP : goesOn ? null : Finish.CANCELLED;
    }

    /** Gives the listener what was held back. */
    void sayRest() {
        piece.setLength(0);
        certain.setLength(0);
        if (decoder != null) {
            decoder.end(piece);
        }
        if (!stops.add(piece, certain)) {
            stops.end(certain);
        }
        if (!certain.isEmpty()) {
            text.append(certain);
            listener.next(certain, -1);
        }
    }

    /** All that was said. */
    String text() {
        return text.toString();
    }

    /** What ended a request that nothing in its text has ended. */
    static Finish finish(TokenRequest request, SamplingOptions options) {
        return switch (request.state()) {
            case END -> Finish.END;
            case LENGTH -> request.written() < options.maxTokens() ? Finish.CONTEXT : Finish.LENGTH;
            case CANCELLED -> Finish.CANCELLED;
            case LATE -> Finish.TIMEOUT;
            case FAILED -> throw request.failure();
            case WAITING, AT_WORK -> throw new AssertionError(request.state());
        };
    }
}
