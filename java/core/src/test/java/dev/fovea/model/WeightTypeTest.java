package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** What rounding the weights costs: the cosine of each parity text's vector to that of fp32. */
@Tag("slow")
class WeightTypeTest {
    private static final String MODEL = "all-minilm-l6-v2";

    /** What each text's cosine must be with BF16. */
    private static final double BF16 = 0.9999;

    /** The parity texts; plain Java takes the short texts alone: it is slow, and its rounding is the same. */
    private static List<GoldenFile.Entry> texts(String model, EngineOptions engine) {
        return GoldenFile.of(model).upTo(engine.backend() != Backend.NATIVE ? 24 : Integer.MAX_VALUE);
    }

    @TestFactory
    Stream<DynamicTest> shouldStayNearWithBf16() {
        return ParityTest.engines().stream().map(engine -> dynamicTest(ParityTest.name(engine), () -> {
            double[] cosines = cosines(engine, WeightType.BF16);
            double least = IntStream.range(0, cosines.length).mapToDouble(i -> cosines[i]).min().orElseThrow();
            assertTrue(least >= BF16, "least cosine " + least);
        }));
    }

    @TestFactory
    Stream<DynamicTest> shouldBeNearerThanOnnxRuntimeWithInt8() {
        return ParityTest.engines().stream().map(engine -> dynamicTest(ParityTest.name(engine), () -> {
            List<GoldenFile.Entry> expected = texts(MODEL, engine);
            List<GoldenFile.Entry> onnxRuntime = texts(MODEL + "-q", engine);
            double[] cosines = cosines(engine, WeightType.INT8);
            for (int i = 0; i < cosines.length; i++) {
                assertEquals(expected.get(i).name(), onnxRuntime.get(i).name());
                double theirs = QuantizedModelTest.cosine(expected.get(i).vector(), onnxRuntime.get(i).vector());
                assertTrue(cosines[i] >= theirs,
                        expected.get(i).name() + ": cosine " + cosines[i] + ", ONNX Runtime's " + theirs);
            }
        }));
    }

    /** Of the vectors of all texts to those of ONNX Runtime on fp32. */
    private static double[] cosines(EngineOptions engine, WeightType weights) throws Exception {
        List<GoldenFile.Entry> expected = texts(MODEL, engine);
        EncoderOptions options = EncoderOptions.defaults().withEngineOptions(engine).withWeights(weights);
        try (TextEncoder encoder = TextEncoder.load(MODEL, options)) {
            assertEquals(weights, encoder.weights());
            float[][] vectors = encoder.encodeAll(expected.stream().map(GoldenFile.Entry::text).toList());
            return IntStream.range(0, vectors.length)
                    .mapToDouble(i -> QuantizedModelTest.cosine(expected.get(i).vector(), vectors[i]))
                    .toArray();
        }
    }
}
