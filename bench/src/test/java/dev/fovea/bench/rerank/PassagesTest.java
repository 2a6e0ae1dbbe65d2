package dev.fovea.bench.rerank;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.text.Tokenizer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class PassagesTest {
    @Test
    void shouldHaveTheTokensThatTheyAreAskedFor() throws Exception {
        int[] ragged = Passages.lengths(100, Passages.RAGGED);
        assertEquals(200, Arrays.stream(ragged).average().orElseThrow());
        assertTrue(Arrays.stream(ragged).min().orElseThrow() >= 60 && Arrays.stream(ragged).max().orElseThrow() <= 340);
        assertTrue(Arrays.stream(ragged).distinct().count() > 50);
        assertEquals(List.of(200), Arrays.stream(Passages.lengths(7, Passages.EQUAL)).distinct().boxed().toList());
        try (Tokenizer tokenizer = Tokenizer.load(Passages.tokenizer())) {
            List<String> passages = Passages.of(ragged, tokenizer);
            assertEquals(100, new HashSet<>(passages).size());
            assertArrayEquals(ragged, passages.stream().mapToInt(text -> tokenizer.encode(text).length).toArray());
            assertEquals(Passages.AROUND, tokenizer.encode(Passages.QUERY).length + 3);
        }
    }

    @Test
    void shouldCountTheOperationsOfAPair() {
        // Per token 21.2 MFLOP in the layers, and 4·n·384 per layer in attention.
        assertEquals(215 * (21.23e6 + 4 * 384 * 6 * 215), CrossEncoder.Shape.of(CrossEncoder.MINI_LM).flops(215), 1e6);
    }
}
