package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.zip.ZipInputStream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * ONNX files as exporters, ONNX Runtime's optimizations and its quantizer write them: the encoder computes what ONNX Runtime
 * does with the same file. {@code bench/onnx/goldens.py} makes them.
 */
class OnnxGoldenTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "weights", "onnx");
    private static final double TOLERANCE = 1e-5;
    /** Of ONNX Runtime's own arithmetic in half precision. */
    private static final double HALF_TOLERANCE = 5e-3;

    @TempDir
    private Path directory;

    static Stream<TestEngine> engines() {
        return TestEngine.devices().stream();
    }

    private void unpack(String model) throws IOException {
        try (ZipInputStream in = new ZipInputStream(Files.newInputStream(GOLDEN.resolve(model + ".zip")))) {
            for (var entry = in.getNextEntry(); entry != null; entry = in.getNextEntry()) {
                Files.copy(in, directory.resolve(entry.getName()));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldComputeWhatOnnxRuntimeDoes(TestEngine maker) throws Exception {
        check(maker, "bert", "script", "basic", "extended", "O1", "O2", "O4", "int8", "int8-extended", "O2-int8", "external",
                "constants", "dequantizing");
        check(maker, "bert-labels", "int8");
        check(maker, "bert-words", "script");
        check(maker, "distilbert", "O2");
        check(maker, "albert", "script", "O2");
        check(maker, "modernbert", "script", "basic", "dynamo");
    }

    private void check(TestEngine maker, String model, String... files) throws Exception {
        unpack(model);
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        JsonObject expected = JsonParser.parseString(Files.readString(directory.resolve("expected.json"))).getAsJsonObject();
        for (String name : files) {
            try (Engine engine = maker.create(); Weights file = Weights.open(directory.resolve(name + ".onnx"))) {
                double tolerance = name.equals("O4") ? HALF_TOLERANCE : TOLERANCE;
                double greatest = difference(engine, graph(model, config, file, engine), expected.getAsJsonArray(name));
                assertTrue(greatest <= tolerance, model + " " + name + ": difference " + greatest);
                if (System.getProperty("fovea.golden.print") != null) {
                    System.out.printf("GOLDEN ONNX | %s | %s | %.1e | %s%n", model, name, greatest, maker);
                }
            }
        }
        try (Stream<Path> unpacked = Files.list(directory)) {
            for (Path file : unpacked.toList()) {
                Files.delete(file);
            }
        }
    }

    private static Graph graph(String model, EncoderConfig config, Weights file, Engine engine) throws IOException {
        Description encoder = config.encoder().withEmbedding(config.encoder().embedding().withPairs(true));
        EncoderConfig.Weighted weighted = switch (model) {
            case "bert-labels" -> config.classifier(encoder, 3, file);
            case "bert-words" -> config.words(encoder, file);
            default -> config.weights(encoder, file);
        };
        return ModelGraph.encoder(weighted.description(), weighted.weights(), engine);
    }

    private static double difference(Engine engine, Graph graph, JsonArray cases) {
        double greatest = 0;
        try (Plan plan = Plan.compile(graph, engine)) {
            for (JsonElement one : cases) {
                JsonArray ids = one.getAsJsonObject().getAsJsonArray("ids");
                JsonArray types = one.getAsJsonObject().getAsJsonArray("types");
                JsonArray rows = one.getAsJsonObject().getAsJsonArray("rows");
                try (Session session = plan.newSession(ids.size(), 1)) {
                    session.run(1, segment(ids), segment(types), MemorySegment.ofArray(new int[] {0, ids.size()}));
                    Tensor output = session.output();
                    for (int i = 0; i < rows.size(); i++) {
                        greatest = Math.max(greatest, difference(rows.get(i).getAsJsonArray(), output,
                                output.size(0) - rows.size() + i));
                    }
                }
            }
        }
        return greatest;
    }

    private static double difference(JsonArray expected, Tensor output, long row) {
        assertEquals(expected.size(), output.size(1));
        double greatest = 0;
        for (int c = 0; c < expected.size(); c++) {
            double difference = Math.abs(expected.get(c).getAsDouble() - output.getFloat(row, c));
            greatest = difference <= greatest ? greatest : difference;
        }
        return greatest;
    }

    private static MemorySegment segment(JsonArray values) {
        return MemorySegment.ofArray(values.asList().stream().mapToInt(JsonElement::getAsInt).toArray());
    }

    @Test
    void shouldSayWhichNodeKeepsWeightsFromBeingRead() throws Exception {
        unpack("bert");
        assertRefused("q4", "encoder.layer.0.attention.self.query.weight",
                "blocks of node '/encoder/layer.0/attention/self/query/MatMul_Q4' (MatMulNBits)");
        unpackAnew("modernbert");
        assertRefused("dynamo-basic", "layers.0.attn.Wqkv.weight", "no name for the weight of node 'node_linear' (MatMul)");
    }

    private void unpackAnew(String model) throws IOException {
        directory = Files.createDirectory(directory.resolve(model));
        unpack(model);
    }

    private void assertRefused(String name, String... words) throws Exception {
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        try (Engine engine = TestEngine.devices().getFirst().create();
                Weights file = Weights.open(directory.resolve(name + ".onnx"))) {
            String message = Assertions.assertThrows(FormatException.class,
                    () -> config.weights(config.encoder(), file)).getMessage();
            for (String word : words) {
                assertTrue(message.contains(word), message);
            }
        }
    }

    /** Bytes of real files, changed at random: each is refused, or read without a fault. */
    @ParameterizedTest
    @ValueSource(strings = {"script", "extended", "O2", "int8-extended", "O2-int8", "q4", "external", "constants", "dequantizing"})
    void shouldRefuseOrReadChangedFiles(String name) throws Exception {
        unpack("bert");
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        byte[] valid = Files.readAllBytes(directory.resolve(name + ".onnx"));
        Path changed = directory.resolve("changed.onnx");
        Random random = new Random(name.hashCode());
        try (Engine engine = TestEngine.devices().getFirst().create()) {
            for (int i = 0; i < 150; i++) {
                byte[] bytes = valid.clone();
                for (int changes = 1 + random.nextInt(8); changes > 0; changes--) {
                    bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
                }
                Files.write(changed, bytes);
                try (Weights file = Weights.open(changed)) {
                    config.weights(config.encoder(), file);
                } catch (FormatException refused) {
                    assertTrue(refused.getMessage().lines().count() == 1, refused.getMessage());
                } catch (RuntimeException fault) {
                    throw new AssertionError("change " + i + " of " + name, fault);
                }
            }
        }
    }

    /** Names of nodes and values, exchanged with each other: graphs that are well-formed and make no sense. */
    @ParameterizedTest
    @ValueSource(strings = {"script", "O2", "O2-int8", "constants"})
    void shouldRefuseOrReadGraphsOfExchangedNames(String name) throws Exception {
        unpack("bert");
        EncoderConfig config = EncoderConfig.read(directory.resolve("config.json"));
        byte[] valid = Files.readAllBytes(directory.resolve(name + ".onnx"));
        List<Integer> names = OnnxNames.positions(valid);
        Path changed = directory.resolve("changed.onnx");
        Random random = new Random(name.hashCode());
        try (Engine engine = TestEngine.devices().getFirst().create()) {
            for (int i = 0; i < 150; i++) {
                byte[] bytes = valid.clone();
                OnnxNames.exchange(bytes, names, random);
                Files.write(changed, bytes);
                try (Weights file = Weights.open(changed)) {
                    config.weights(config.encoder(), file);
                } catch (FormatException refused) {
                    assertTrue(refused.getMessage().lines().count() == 1, refused.getMessage());
                } catch (RuntimeException fault) {
                    throw new AssertionError("exchange " + i + " of " + name, fault);
                }
            }
        }
    }

    /** Texts of one length within a file, which can take each other's place without changing any length around them. */
    private static final class OnnxNames {
        private static final int SHORTEST = 8;

        private OnnxNames() {}

        /** Where a length of one byte stands before that many printable characters. */
        static List<Integer> positions(byte[] bytes) {
            return IntStream.range(0, bytes.length - SHORTEST)
                    .filter(at -> bytes[at] >= SHORTEST && at + bytes[at] < bytes.length && isText(bytes, at + 1, bytes[at]))
                    .boxed().toList();
        }

        private static boolean isText(byte[] bytes, int from, int length) {
            for (int i = from; i < from + length; i++) {
                if (bytes[i] < ' ' || bytes[i] > '~') {
                    return false;
                }
            }
            return true;
        }

        static void exchange(byte[] bytes, List<Integer> positions, Random random) {
            for (int exchanges = 1 + random.nextInt(12); exchanges > 0; exchanges--) {
                int to = positions.get(random.nextInt(positions.size()));
                List<Integer> fitting = positions.stream().filter(at -> bytes[at] == bytes[to]).toList();
                int from = fitting.get(random.nextInt(fitting.size()));
                System.arraycopy(bytes, from + 1, bytes, to + 1, bytes[to]);
            }
        }
    }
}
