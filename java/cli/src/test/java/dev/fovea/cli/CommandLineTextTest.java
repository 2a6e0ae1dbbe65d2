package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CommandLineTextTest {
    @TempDir
    private Path directory;

    private Path commandLine(String... args) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        for (String arg : args) {
            bytes.write(arg.getBytes(StandardCharsets.UTF_8));
            bytes.write(0);
        }
        return Files.write(directory.resolve("cmdline"), bytes.toByteArray());
    }

    /** As a JVM decodes UTF-8 that knows ASCII only. */
    private static String ascii(String text) {
        return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.US_ASCII);
    }

    @Test
    void shouldReadWhatIsLostAgain() throws IOException {
        Path file = commandLine("java", "-cp", "x", "Main", "embed", "Grüße 你好", "plain", "");
        assertArrayEquals(new String[] {"embed", "Grüße 你好", "plain", ""},
                CommandLineText.of(file, "embed", ascii("Grüße 你好"), "plain", ""));
    }

    @Test
    void shouldNotAskForWhatIsThere() throws IOException {
        String[] args = {"embed", "text"};
        assertEquals(args, CommandLineText.of(directory.resolve("none"), args));
    }

    @Test
    void shouldRefuseWhatIsLost() throws IOException {
        String message = "argument 2 has characters that the locale does not know, and they are lost; set LC_ALL=C.UTF-8, or"
                + " give texts with --input";
        String lost = ascii("é");
        assertEquals(message, assertThrows(IOException.class,
                () -> CommandLineText.of(directory.resolve("none"), "embed", lost)).getMessage());
        Path other = commandLine("java", "Main", "embed", "something else");
        assertEquals(message,
                assertThrows(IOException.class, () -> CommandLineText.of(other, "embed", lost)).getMessage());
        Path latin = Files.write(directory.resolve("cmdline"),
                "java\0Main\0embed\0\u00e9\0".getBytes(StandardCharsets.ISO_8859_1));
        assertEquals("argument 2 is not valid UTF-8", assertThrows(IOException.class,
                () -> CommandLineText.of(latin, "embed", "\uFFFD")).getMessage());
    }
}
