package dev.fovea.cli;

import dev.fovea.model.ChatListener.Part;
import java.io.IOException;
import java.io.UncheckedIOException;

/** Prints an answer as it comes, and what the model thinks before: dim, or between marks. */
final class AnswerPrinter {
    private static final String DIM = "\u001b[2m";
    private static final String NORMAL = "\u001b[22m";

    private final Streams streams;
    private final String begin;
    private final String end;
    /** Of the text that is printed last; null before any. */
    private Part part;

    /** @param isColored whether the output shows dim text */
    AnswerPrinter(Streams streams, boolean isColored) {
        this.streams = streams;
        this.begin = isColored ? DIM : "<think>\n";
        this.end = isColored ? NORMAL + "\n\n" : "\n</think>\n\n";
    }

    /** Prints a piece, and tells to go on. */
    boolean print(Part part, CharSequence text) {
        if (!text.isEmpty()) {
            String mark = part == this.part ? "" : part == Part.REASONING ? begin : this.part == null ? "" : end;
            this.part = part;
            write(mark, text);
        }
        return true;
    }

    /** Ends thoughts behind which nothing was said. */
    void end() {
        if (part == Part.REASONING) {
            write(end.stripTrailing(), "");
        }
    }

    private void write(String mark, CharSequence said) {
        try {
            streams.print(mark);
            streams.printSaid(said);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
