package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.WeightType;
import dev.fovea.ops.Similarity;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On a real GPU, with the library from its jar; skipped with the reason where there is none. */
class CudaDeviceTest {
    private static final List<String> TEXTS = List.of("How do I reset my password?", "", "a",
            "The quick brown fox jumps over the lazy dog. ".repeat(40), "I forgot my login", "fog ".repeat(100));

    private static final Optional<String> MISSING = Engine.unavailable(Backend.CUDA).map("no GPU: "::concat);

    /** Surefire counts what is skipped; its reason stands in no line of Maven's output but this. */
    @BeforeAll
    static void sayWhySkipped() {
        MISSING.ifPresent(reason -> System.out.println("CudaDeviceTest is skipped: " + reason));
    }

    @BeforeEach
    void requireGpu() {
        assumeTrue(MISSING.isEmpty(), MISSING::get);
    }

    private static TextEncoder encoder(Backend backend, WeightType weights) throws IOException {
        return TextEncoder.load("all-minilm-l6-v2", EncoderOptions.defaults().withWeights(weights)
                .withEngineOptions(EngineOptions.defaults().withBackend(backend)));
    }

    @ParameterizedTest
    @CsvSource({"F32, 1e-5, 0.999999", "BF16, 1, 0.9999", "F16, 1, 0.9999"})
    void shouldEncodeAsTheCpuDoesAndAloneAsInCompany(WeightType weights, float tolerance, float cosine)
            throws IOException {
        try (TextEncoder cpu = encoder(Backend.NATIVE, WeightType.F32);
                TextEncoder gpu = encoder(Backend.CUDA, weights)) {
            float[][] vectors = gpu.encodeAll(TEXTS);
            for (int i = 0; i < TEXTS.size(); i++) {
                float[] expected = cpu.encode(TEXTS.get(i));
                assertArrayEquals(expected, vectors[i], tolerance, TEXTS.get(i));
                assertTrue(Similarity.COSINE.of(expected, vectors[i]) >= cosine, TEXTS.get(i));
                assertArrayEquals(gpu.encode(TEXTS.get(i)), vectors[i], TEXTS.get(i));
            }
        }
    }

    @Test
    void shouldRunTheCommand() {
        String asked = CliRun.of("embed", "--backend", "cuda", "--weights", "bf16", "x").output();
        assertEquals(asked, CliRun.of("embed", "--backend", "auto", "--weights", "bf16", "x").output());
    }
}
