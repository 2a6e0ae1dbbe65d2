package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextLinesTest {
    private static TextLines lines(byte[] bytes) {
        return new TextLines("in", new ByteArrayInputStream(bytes), bytes.length);
    }

    private static List<String> read(TextLines lines) throws IOException {
        List<String> all = new ArrayList<>();
        for (List<String> block = lines.next(); !block.isEmpty(); block = lines.next()) {
            assertTrue(block.size() <= TextSource.BLOCK_TEXTS);
            all.addAll(block);
        }
        return all;
    }

    private static List<String> read(String text) throws IOException {
        return read(lines(text.getBytes(StandardCharsets.UTF_8)));
    }

    @Test
    void shouldSplitAtLineEnds() throws IOException {
        assertEquals(List.of(), read(""));
        assertEquals(List.of(""), read("\n"));
        assertEquals(List.of("a"), read("a"));
        assertEquals(List.of("a", "b"), read("a\r\nb\n"));
        assertEquals(List.of("a", "", "b", ""), read("a\n\nb\n\r\n"));
        assertEquals(List.of("a\rb", "c\r"), read("a\rb\nc\r"));
    }

    @Test
    void shouldSkipAByteOrderMarkAtTheStartOnly() throws IOException {
        assertEquals(List.of("a", "\uFEFFb"), read("\uFEFFa\n\uFEFFb\n"));
        assertEquals(List.of(""), read("\uFEFF"));
        assertEquals(List.of("", "a"), read("\uFEFF\r\na"));
    }

    @ParameterizedTest
    @ValueSource(ints = {65_534, 65_535, 65_536, 65_537, 131_072, 1_000_000})
    void shouldReadLinesLongerThanTheBuffer(int length) throws IOException {
        String line = "ä".repeat(length / 2) + "x".repeat(length % 2);
        assertEquals(List.of("a", line, "b", line), read("a\n" + line + "\nb\n" + line));
    }

    @Test
    void shouldCountLinesAndBytes() throws IOException {
        String text = String.join("\n", IntStream.range(0, 100_000).mapToObj(i -> "Zeile " + i).toList());
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        TextLines lines = lines(bytes);
        assertEquals(text.lines().toList(), read(lines));
        assertEquals(100_000, lines.texts());
        assertEquals(bytes.length, lines.done());
        assertEquals(lines.total(), lines.done());
    }

    @Test
    void shouldNameTheLineThatIsNotUtf8() {
        byte[] bytes = "good\nbad: \u00E9!\n".getBytes(StandardCharsets.ISO_8859_1);
        IOException e = assertThrows(IOException.class, () -> read(lines(bytes)));
        assertEquals("in: line 2 is not valid UTF-8 at its byte 6 (0xE9)", e.getMessage());
    }

    @Test
    void shouldNameTheLineThatEndsWithinACharacter() {
        byte[] bytes = {'a', '\n', 'b', (byte) 0xE2, (byte) 0x82};
        IOException e = assertThrows(IOException.class, () -> read(lines(bytes)));
        assertEquals("in: line 2 is not valid UTF-8 at its byte 2 (0xE2)", e.getMessage());
    }

    @Test
    void shouldRefuseALineThatNeverEnds() {
        InputStream endless = new InputStream() {
            @Override
            public int read() {
                return 'x';
            }
        };
        IOException e = assertThrows(IOException.class, () -> new TextLines("in", endless, 0).next());
        assertEquals("in: line 1 is longer than 4194304 bytes", e.getMessage());
    }

    @Test
    void shouldNotWaitForMoreWhenItHasALine() throws IOException {
        InputStream oneLineThenNothing = new InputStream() {
            private final byte[] line = "first\nsec".getBytes(StandardCharsets.UTF_8);
            private int next;

            @Override
            public int read() {
                throw new AssertionError("blocks for ever");
            }

            @Override
            public int read(byte[] bytes, int offset, int length) {
                if (next == line.length) {
                    throw new AssertionError("blocks for ever");
                }
                bytes[offset] = line[next++];
                return 1;
            }

            @Override
            public int available() {
                return line.length - next;
            }
        };
        assertEquals(List.of("first"), new TextLines("in", oneLineThenNothing, 0).next());
    }
}
