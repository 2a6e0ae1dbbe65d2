package dev.fovea.model.grammar;

import java.nio.charset.StandardCharsets;

/** Whether a text that comes in pieces is the begin of one that has a format. For one thread at a time. */
public final class FormatReader {
    private static final int ROOM = 256;

    private final Recognizer recognizer;
    private boolean follows = true;

    FormatReader(Automaton automaton) {
        this.recognizer = new Recognizer(automaton, ROOM);
        recognizer.start();
    }

    /**
     * Goes on with a piece of whole characters; false once no text of the format begins like that, and from then on.
     *
     * @throws IllegalArgumentException if there are too many ways to read it
     */
    public boolean take(CharSequence piece) {
        byte[] bytes = piece.toString().getBytes(StandardCharsets.UTF_8);
        for (int i = 0; follows && i < bytes.length; i++) {
            recognizer.resetWork();
            follows = recognizer.advance(bytes[i] & 0xff);
        }
        return follows;
    }
}
