package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicContainer.dynamicContainer;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;

/** Every named model against ONNX Runtime, on every backend and every kernel table that runs here. */
@Tag("slow")
class ParityTest {
    private static final double MAX_DIFFERENCE = 1e-5;
    private static final double MIN_COSINE = 0.999999;

    @TestFactory
    Stream<DynamicNode> shouldAgreeWithOnnxRuntime() {
        return engines().stream().map(options -> dynamicContainer(
                name(options),
                ModelCatalog.models().stream().filter(NamedModel::hasArtifact).map(model -> compare(options, GoldenFile.of(model.name())))));
    }

    private static DynamicTest compare(EngineOptions options, GoldenFile golden) {
        return dynamicTest(golden.model(), () -> {
            assertTrue(golden.entries().size() >= 44, golden.entries().size() + " texts");
            List<GoldenFile.Entry> entries = options.backend() == Backend.JAVA ? third(golden.entries()) : golden.entries();
            try (var encoder = TextEncoder.load(
                    golden.model(), EncoderOptions.defaults().withEngineOptions(options))) {
                assertEquals(golden.maxTokens(), encoder.maxTokens());
                List<TextEmbedding> embeddings =
                        encoder.embedAll(entries.stream().map(GoldenFile.Entry::text).toList());
                for (int i = 0; i < entries.size(); i++) {
                    check(entries.get(i), embeddings.get(i));
                }
            }
        });
    }

    /** Each third text, since plain Java is slow; {@code -Dfovea.parity.all=true} takes all. */
    private static List<GoldenFile.Entry> third(List<GoldenFile.Entry> entries) {
        int step = Boolean.getBoolean("fovea.parity.all") ? 1 : 3;
        return IntStream.range(0, entries.size()).filter(i -> i % step == 0).mapToObj(entries::get).toList();
    }

    private static void check(GoldenFile.Entry golden, TextEmbedding embedding) {
        assertEquals(golden.tokens(), embedding.tokens(), golden.name());
        assertEquals(golden.truncated(), embedding.truncated(), golden.name());
        assertEquals(golden.vector().length, embedding.vector().length, golden.name());
        double worst = 0;
        double dot = 0;
        double ours = 0;
        double theirs = 0;
        for (int i = 0; i < golden.vector().length; i++) {
            double a = golden.vector()[i];
            double b = embedding.vector()[i];
            worst = Math.max(worst, Double.isNaN(b) ? Double.POSITIVE_INFINITY : Math.abs(a - b));
            dot += a * b;
            ours += b * b;
            theirs += a * a;
        }
        double cosine = dot / Math.sqrt(ours * theirs);
        assertTrue(worst <= MAX_DIFFERENCE, golden.name() + ": a component differs by " + worst);
        assertTrue(cosine >= MIN_COSINE, golden.name() + ": cosine " + cosine);
    }

    /** Every backend, and of the native one every kernel table that runs here. */
    static List<EngineOptions> engines() {
        List<EngineOptions> engines = new ArrayList<>();
        engines.add(EngineOptions.defaults().withBackend(Backend.JAVA));
        if (Engine.unavailable(Backend.VECTOR).isEmpty()) {
            engines.add(EngineOptions.defaults().withBackend(Backend.VECTOR));
        }
        EngineOptions natively = EngineOptions.defaults().withBackend(Backend.NATIVE);
        try (Engine engine = Engine.create(natively)) {
            engine.availableIsas().forEach(isa -> engines.add(natively.withIsa(isa)));
        }
        return engines;
    }

    /** What tells these engines apart. */
    static String name(EngineOptions options) {
        return options.backend() == Backend.NATIVE ? options.isa() : options.backend().name();
    }
}
