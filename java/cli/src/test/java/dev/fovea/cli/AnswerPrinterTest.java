package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.model.ChatListener.Part;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class AnswerPrinterTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Streams streams = Streams.of(InputStream.nullInputStream(), out, OutputStream.nullOutputStream());

    private String printed(boolean isColored, String thoughts, String content) {
        out.reset();
        var printer = new AnswerPrinter(streams, isColored);
        for (String piece : thoughts.split("(?<= )")) {
            printer.print(Part.REASONING, piece);
        }
        printer.print(Part.CONTENT, "");
        for (String piece : content.split("(?<= )")) {
            printer.print(Part.CONTENT, piece);
        }
        printer.end();
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void shouldPrintThoughtsDimOrBetweenMarks() {
        assertEquals("\u001b[2ma b\u001b[22m\n\nc d", printed(true, "a b", "c d"));
        assertEquals("<think>\na b\n</think>\n\nc d", printed(false, "a b", "c d"));
        assertEquals("c d", printed(true, "", "c d"));
        assertEquals("\u001b[2ma b\u001b[22m", printed(true, "a b", ""));
        assertEquals("<think>\na\n</think>", printed(false, "a", ""));
    }
}
