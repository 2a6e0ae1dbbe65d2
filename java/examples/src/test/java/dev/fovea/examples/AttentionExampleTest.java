package dev.fovea.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class AttentionExampleTest {
    @Test
    void shouldPrintACausalPatternAndDecodeToTheSameBits() {
        var bytes = new ByteArrayOutputStream();
        AttentionExample.run(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals("  1.00  0.00  0.00  0.00", lines.get(1));
        assertEquals("0.00", lines.get(3).substring(lines.get(3).length() - 4));
        assertEquals("The first sequence again, a token at a time: the same bits", lines.get(5));
    }
}
