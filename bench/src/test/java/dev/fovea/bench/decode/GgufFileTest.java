package dev.fovea.bench.decode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.TextGenerator;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.GgufWeights;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufFileTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(FileType.class)
    void shouldHaveTheTypesOfLlamaCppAndValuesOfADecoder(FileType type) throws IOException {
        Path file = GgufFile.of(directory, DecoderShape.TINY, type);
        String weights = TextGenerator.properties(file).get("weights");
        assertTrue(weights.endsWith(switch (type) {
            case Q4_0 -> "9 F32, 14 Q4_0, 1 Q6_K";
            case Q4_K_M -> "9 F32, 12 Q4_K, 3 Q6_K";
            case Q8_0 -> "9 F32, 15 Q8_0";
            case F16 -> "15 F16, 9 F32";
            case BF16 -> "15 BF16, 9 F32";
        }), weights);
        try (GgufWeights opened = GgufWeights.open(file); Arena arena = Arena.ofConfined()) {
            for (String name : new String[] {"token_embd.weight", "blk.0.attn_q.weight", "blk.1.ffn_down.weight"}) {
                Tensor values = opened.getF32(arena, name);
                double sum = 0;
                double squares = 0;
                long count = values.segment().byteSize() / Float.BYTES;
                for (long i = 0; i < count; i++) {
                    double value = values.segment().getAtIndex(ValueLayout.JAVA_FLOAT, i);
                    sum += value;
                    squares += value * value;
                }
                assertEquals(0, sum / count, 2.5e-3, name); // four bits less 8 have a mean of -0.5
                assertEquals(0.02, Math.sqrt(squares / count), 2e-3, name);
            }
        }
    }

    @Test
    void shouldWriteAFileOnce() throws IOException {
        Path file = GgufFile.of(directory, DecoderShape.TINY, FileType.Q8_0);
        var written = Files.getLastModifiedTime(file);
        assertEquals(file, GgufFile.of(directory, DecoderShape.TINY, FileType.Q8_0));
        assertEquals(written, Files.getLastModifiedTime(file));
    }

    @Test
    void shouldSayThatLlamaCppIsNotFetched() {
        String message = assertThrows(IOException.class, () -> LlamaCppPackage.directory(directory, false)).getMessage();
        assertTrue(message.contains("not fetched yet") || message.contains("for Linux on x86-64"), message);
    }
}
