package dev.fovea.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class TransformerTourTest {
    @Test
    void shouldComputeByHandWhatTheOpComputes() {
        var bytes = new ByteArrayOutputStream();
        TransformerTour.run(new PrintStream(bytes, true, StandardCharsets.UTF_8));
        List<String> lines = bytes.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(lines.get(1), lines.get(3));
        assertEquals(1, sum(lines.get(1)), 3e-4);
        assertEquals("0.0000", lines.get(1).substring(lines.get(1).length() - 6));
        assertEquals("The ups of all heads are one matrix [32, 32]", lines.get(4));
        assertEquals("A head takes 512 numbers, in full 1024", lines.get(5));
        assertEquals(1, sum(lines.get(7)), 3e-4);
    }

    private static double sum(String row) {
        return Arrays.stream(row.strip().split("\\s+")).mapToDouble(Double::parseDouble).sum();
    }
}
