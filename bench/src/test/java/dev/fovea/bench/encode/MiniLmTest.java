package dev.fovea.bench.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.bench.study.Verdict;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MiniLmTest {
    @ParameterizedTest
    @ValueSource(strings = {MiniLm.FOVEA, MiniLm.FOVEA_BF16, MiniLm.FOVEA_INT8, MiniLm.FOVEA_JAVA,
        MiniLm.ONNX_FP32, MiniLm.ONNX_INT8})
    void shouldAgreeOnBatchesOfMixedLength(String side) throws Exception {
        List<TokenBatch> batches = mixed();
        TokenEncoder encoder = MiniLm.load(side, 2).encoder(batches);
        TokenEncoder reference = MiniLm.referenceOf(side).encoder(batches);
        for (int batch : new int[] {1, 0, 1}) {
            encoder.encode(batch);
            reference.encode(batch);

            assertEquals(batches.get(batch).sequences() * MiniLm.DIMENSION, encoder.vectors().length);
            MiniLm.check(side, reference.vectors(), encoder.vectors());
        }
    }

    @Test
    void shouldRefuseWhatDiffers() throws Exception {
        TokenEncoder encoder = MiniLm.load(MiniLm.FOVEA, 1).encoder(mixed());
        encoder.encode(0);
        float[] wrong = encoder.vectors();
        wrong[5] += 1e-4f;

        assertThrows(Verdict.NotTimed.class, () -> MiniLm.check(MiniLm.FOVEA, encoder.vectors(), wrong));
        wrong[5] += 1;
        assertThrows(Verdict.NotTimed.class, () -> MiniLm.check(MiniLm.ONNX_INT8, encoder.vectors(), wrong));
    }

    @Test
    void shouldNameASideThatDoesNotExist() {
        var e = assertThrows(IllegalArgumentException.class, () -> MiniLm.load("Fovea Fortran", 1));
        assertEquals("no side loads all-MiniLM-L6-v2 as Fovea Fortran", e.getMessage());
    }

    private static List<TokenBatch> mixed() throws IOException {
        return List.of(TokenBatch.of(Sentences.tokenized(4)), TokenBatch.ofProse(1, 1, 11).getFirst());
    }
}
