package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.Backend;
import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts to vectors on the emulated GPU, and the weight types that it and the CPU refuse. */
class CudaEncoderTest {
    private static final List<String> TEXTS = List.of("w1 w2 w3", "", "w7", "w9 w8 w40 w0 w3 w4 w5", "w2 w2");

    @TempDir
    private Path directory;

    private static EncoderOptions options(Engine engine, WeightType weights) {
        return EncoderOptions.defaults().withEngine(engine).withWeights(weights);
    }

    @ParameterizedTest
    @CsvSource({"F32, 2e-6", "BF16, 2e-2", "F16, 2e-3"})
    void shouldEncodeAsTheCpuDoes(WeightType weights, float tolerance) throws IOException {
        EmulatedGpu.require();
        Path model = new TinyModel(4).write(directory);
        try (Engine cpu = Engine.create(EngineOptions.defaults().withBackend(Backend.JAVA));
                Engine gpu = EmulatedGpu.engine();
                TextEncoder expected = TextEncoder.load(model, options(cpu, WeightType.F32));
                TextEncoder encoder = TextEncoder.load(model, options(gpu, weights))) {
            float[][] all = encoder.encodeAll(TEXTS);
            for (int i = 0; i < TEXTS.size(); i++) {
                assertArrayEquals(expected.encode(TEXTS.get(i)), all[i], tolerance, TEXTS.get(i));
                assertArrayEquals(encoder.encode(TEXTS.get(i)), all[i], TEXTS.get(i));
            }
        }
        assertEquals(null, EmulatedGpu.misuse());
    }

    @Test
    void shouldRefuseByNameTheTypesOfCpus() throws IOException {
        EmulatedGpu.require();
        Path model = new TinyModel(4).write(directory);
        try (Engine gpu = EmulatedGpu.engine()) {
            var stored = assertThrows(IllegalArgumentException.class,
                    () -> TextEncoder.load(model, options(gpu, WeightType.STORED)));
            assertEquals("weights on the backend CUDA are stored as F32, F16 or BF16, got as stored: take BF16",
                    stored.getMessage());
            var refused = assertThrows(IllegalArgumentException.class,
                    () -> TextEncoder.load(model, options(gpu, WeightType.INT8)));
            assertEquals("weights on the backend CUDA are stored as F32, F16 or BF16, got I8: take BF16",
                    refused.getMessage());
        }
    }
}
