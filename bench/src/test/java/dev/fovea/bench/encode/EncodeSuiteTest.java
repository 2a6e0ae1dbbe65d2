package dev.fovea.bench.encode;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class EncodeSuiteTest {
    @Test
    void shouldCountTheOperationsOfTheModel() {
        // Per token 21.2 MFLOP in the layers, and 4·n·384 per layer in attention.
        assertEquals(21.23e6 + 4 * 384 * 6, EncodeSuite.flops(1, 1), 0.01e6);
        assertEquals(32 * EncodeSuite.flops(1, 128), EncodeSuite.flops(32, 128), 1);
    }

    @Test
    void shouldCutProseIntoPartsBetweenSpecialTokens() throws IOException {
        List<TokenBatch> batches = TokenBatch.ofProse(2, 3, 8);

        assertEquals(2, batches.size());
        for (TokenBatch batch : batches) {
            assertArrayEquals(new int[] {0, 8, 16, 24}, batch.offsets());
            for (int sequence = 0; sequence < 3; sequence++) {
                assertEquals(101, batch.ids()[sequence * 8]);
                assertEquals(102, batch.ids()[sequence * 8 + 7]);
            }
        }
        assertFalse(Arrays.equals(batches.get(0).ids(), batches.get(1).ids()));
    }

    @Test
    void shouldLayRaggedSequencesEndToEnd() {
        TokenBatch batch = TokenBatch.of(List.of(new int[] {1, 2, 3}, new int[] {4}, new int[] {5, 6}));

        assertArrayEquals(new int[] {1, 2, 3, 4, 5, 6}, batch.ids());
        assertArrayEquals(new int[] {0, 3, 4, 6}, batch.offsets());
        assertEquals(3, batch.sequences());
        assertEquals(3, batch.longest());
    }
}
