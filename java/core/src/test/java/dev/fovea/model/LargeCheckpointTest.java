package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A checkpoint of half types is never widened as a whole: loading one needs little more memory than its weights. */
@Tag("slow")
class LargeCheckpointTest {
    private static final int WIDTH = 1024;
    private static final int INNER = 4096;
    private static final int LAYERS = 8;

    /** Of the matrices of all layers: 200 MB in a half type, 400 MB as F32. */
    private static final long WEIGHTS = LAYERS * (4L * WIDTH * WIDTH + 2L * WIDTH * INNER);

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"BF16", "F16"})
    @EnabledOnOs(OS.LINUX)
    void shouldLoadInLittleMoreMemoryThanPackedWeightsTake(String dtype) throws Exception {
        Assumptions.assumeTrue(Engine.unavailable(Backend.NATIVE).isEmpty(), "the native backend is not available");
        write(dtype);
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx128m",
                "--enable-native-access=ALL-UNNAMED", "-Dfovea.cache=" + System.getProperty("fovea.cache"),
                "-cp", System.getProperty("java.class.path"), LoadLarge.class.getName(), directory.toString())
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(120, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        long peak = Long.parseLong(output.lines().filter(line -> line.startsWith("peak ")).findFirst().orElseThrow()
                .substring(5).strip());
        long packed = WEIGHTS * Float.BYTES;
        System.out.println(dtype + ": peak RSS " + (peak >> 20) + " MiB, packed weights " + (packed >> 20) + " MiB");
        assertTrue(peak < 1.3 * packed, "peak RSS " + peak + " bytes of " + packed + " packed");
    }

    /** Loads the model, encodes a text, and tells how much memory the process had at most. */
    static final class LoadLarge {
        public static void main(String[] args) throws IOException {
            try (TextEncoder encoder = TextEncoder.load(Path.of(args[0]))) {
                for (float component : encoder.encode("w1 w2 w3")) {
                    if (!Float.isFinite(component)) {
                        throw new IllegalStateException("the vector has " + component);
                    }
                }
            }
            for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
                if (line.startsWith("VmHWM:")) {
                    System.out.println("peak " + Long.parseLong(line.replaceAll("\\D", "")) * 1024);
                }
            }
        }
    }

    private void write(String dtype) throws IOException {
        Files.writeString(directory.resolve("config.json"), """
                {"model_type": "bert", "vocab_size": 50, "hidden_size": %d, "num_hidden_layers": %d,
                 "num_attention_heads": 16, "intermediate_size": %d, "max_position_embeddings": 64,
                 "type_vocab_size": 2}""".formatted(WIDTH, LAYERS, INNER));
        Files.writeString(directory.resolve("tokenizer.json"), TinyModel.tokenizerJson());
        Map<String, List<Integer>> shapes = shapes();
        var header = new StringJoiner(",", "{", "}");
        long end = 0;
        for (var entry : shapes.entrySet()) {
            long start = end;
            end += 2L * elements(entry.getValue());
            header.add("\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%d,%d]}"
                    .formatted(entry.getKey(), dtype, entry.getValue(), start, end));
        }
        byte[] text = header.toString().getBytes(StandardCharsets.UTF_8);
        try (OutputStream out = Files.newOutputStream(directory.resolve("model.safetensors"))) {
            out.write(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(text.length).array());
            out.write(text);
            var random = new Random(1);
            for (List<Integer> shape : shapes.values()) {
                out.write(values(random, dtype, shape));
            }
        }
    }

    private static byte[] values(Random random, String dtype, List<Integer> shape) {
        int elements = elements(shape);
        var bytes = ByteBuffer.allocate(2 * elements).order(ByteOrder.LITTLE_ENDIAN);
        float scale = shape.size() == 1 ? 0.1f : 1 / (float) Math.sqrt(shape.get(1));
        for (int i = 0; i < elements; i++) {
            float value = scale * (random.nextFloat() - 0.5f);
            bytes.putShort(dtype.equals("F16") ? Float.floatToFloat16(value)
                    : (short) (Float.floatToRawIntBits(value) >>> 16));
        }
        return bytes.array();
    }

    private static int elements(List<Integer> shape) {
        return shape.stream().reduce(1, (a, b) -> a * b);
    }

    private static Map<String, List<Integer>> shapes() {
        Map<String, List<Integer>> shapes = new LinkedHashMap<>();
        shapes.put("embeddings.word_embeddings.weight", List.of(50, WIDTH));
        shapes.put("embeddings.position_embeddings.weight", List.of(64, WIDTH));
        shapes.put("embeddings.token_type_embeddings.weight", List.of(2, WIDTH));
        norm(shapes, "embeddings.LayerNorm");
        for (int i = 0; i < LAYERS; i++) {
            String layer = "encoder.layer." + i + ".";
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(shapes, layer + "attention." + part, WIDTH, WIDTH);
            }
            norm(shapes, layer + "attention.output.LayerNorm");
            linear(shapes, layer + "intermediate.dense", INNER, WIDTH);
            linear(shapes, layer + "output.dense", WIDTH, INNER);
            norm(shapes, layer + "output.LayerNorm");
        }
        return shapes;
    }

    private static void linear(Map<String, List<Integer>> shapes, String name, int outputs, int inputs) {
        shapes.put(name + ".weight", List.of(outputs, inputs));
        shapes.put(name + ".bias", List.of(outputs));
    }

    private static void norm(Map<String, List<Integer>> shapes, String name) {
        shapes.put(name + ".weight", List.of(WIDTH));
        shapes.put(name + ".bias", List.of(WIDTH));
    }
}
