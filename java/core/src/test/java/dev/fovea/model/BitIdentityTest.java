package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A text's vector does not depend on company: the same bits in every batch, with any threads. */
@Tag("slow")
class BitIdentityTest {
    private static final String MODEL = "all-minilm-l6-v2";
    private static final int BATCH = 64;

    /** 64 texts of 2 to 256 tokens. */
    private static List<String> texts() {
        List<String> texts = new ArrayList<>();
        for (GoldenFile.Entry entry : GoldenFile.of(MODEL).entries()) {
            texts.add(entry.text());
        }
        for (int i = 0; texts.size() < BATCH; i++) {
            texts.add("text number " + i + " of those that fill the batch ".repeat(i));
        }
        return texts;
    }

    private static Stream<Arguments> isas() {
        try (Engine engine = Engine.create(EngineOptions.defaults().withBackend(Backend.NATIVE))) {
            return engine.availableIsas().stream()
                    .flatMap(isa -> Stream.of(WeightType.F32, WeightType.BF16, WeightType.INT8).map(weights -> Arguments.of(isa, weights)));
        }
    }

    @ParameterizedTest
    @MethodSource("isas")
    void shouldGiveTheSameBitsAloneAndAnywhereInABatch(String isa, WeightType weights) throws Exception {
        EngineOptions options = EngineOptions.defaults().withBackend(Backend.NATIVE).withIsa(isa).withThreads(2);
        try (TextEncoder encoder = load(options, weights)) {
            List<String> texts = texts();
            float[][] alone = texts.stream().map(encoder::encode).toArray(float[][]::new);
            assertArrayEquals(alone, encoder.encodeAll(texts));
            List<Integer> order = new ArrayList<>(Collections.nCopies(BATCH, 0));
            for (int i = 0; i < BATCH; i++) {
                order.set(i, i);
            }
            Random random = new Random(1);
            for (int round = 0; round < 3; round++) {
                Collections.shuffle(order, random);
                float[][] batched = encoder.encodeAll(order.stream().map(texts::get).toList());
                for (int i = 0; i < BATCH; i++) {
                    assertArrayEquals(alone[order.get(i)], batched[i], texts.get(order.get(i)));
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = WeightType.class, names = {"F32", "F16", "BF16", "INT8", "Q8_0", "Q4_1"})
    void shouldGiveTheSameBitsWithAnyNumberOfThreads(WeightType weights) throws Exception {
        float[][] expected = null;
        for (int threads : new int[] {1, 2, 4}) {
            try (TextEncoder encoder =
                    load(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(threads), weights)) {
                assertEquals(threads, encoder.engine().threads());
                float[][] vectors = encoder.encodeAll(texts());
                expected = expected == null ? vectors : expected;
                assertArrayEquals(expected, vectors, threads + " threads");
            }
        }
    }

    @Test
    void shouldGiveTheSameBitsWhenEightThreadsEncodeAtOnce() throws Exception {
        try (TextEncoder encoder = load(EngineOptions.defaults().withBackend(Backend.NATIVE).withThreads(2),
                        WeightType.F32);
                var executor = Executors.newFixedThreadPool(8)) {
            List<String> texts = texts();
            float[][] alone = texts.stream().map(encoder::encode).toArray(float[][]::new);
            List<Callable<float[][]>> calls = new ArrayList<>();
            for (int thread = 0; thread < 8; thread++) {
                boolean batched = thread % 2 == 0;
                calls.add(() -> batched
                        ? encoder.encodeAll(texts)
                        : texts.stream().map(encoder::encode).toArray(float[][]::new));
            }
            for (Future<float[][]> call : executor.invokeAll(calls)) {
                assertArrayEquals(alone, call.get());
            }
        }
    }

    /** The Vector API shares what it does with other types than F32. */
    private static Stream<Arguments> javaBackends() {
        return Stream.concat(Stream.of(WeightType.F32, WeightType.BF16, WeightType.INT8).map(weights -> Arguments.of(Backend.JAVA, weights)),
                Stream.of(Arguments.of(Backend.VECTOR, WeightType.F32)));
    }

    @ParameterizedTest
    @MethodSource("javaBackends")
    void shouldGiveTheSameBitsOnABackendInJava(Backend backend, WeightType weights) throws Exception {
        List<String> texts = GoldenFile.of(MODEL).upTo(24).stream().map(GoldenFile.Entry::text).toList();
        float[][] alone;
        try (TextEncoder encoder = load(EngineOptions.defaults().withBackend(backend).withThreads(1), weights)) {
            alone = texts.stream().map(encoder::encode).toArray(float[][]::new);
            assertArrayEquals(alone, encoder.encodeAll(texts));
        }
        try (TextEncoder encoder = load(EngineOptions.defaults().withBackend(backend).withThreads(4), weights)) {
            assertArrayEquals(alone, encoder.encodeAll(texts));
            assertArrayEquals(alone[0], encoder.encode(texts.getFirst()));
        }
    }

    private static TextEncoder load(EngineOptions options, WeightType weights) throws Exception {
        return TextEncoder.load(MODEL, EncoderOptions.defaults().withEngineOptions(options).withWeights(weights));
    }
}
