package dev.fovea.weights;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GgufWriterTest {
    /** The root of the mean square error of values of N(0, 1), as llama.cpp's own rounding has it or a little more. */
    private static final Map<Layout, Double> ERRORS = new EnumMap<>(Map.ofEntries(
            Map.entry(Layout.F32, 0.0), Map.entry(Layout.F16, 3e-4), Map.entry(Layout.BF16, 2.5e-3), Map.entry(Layout.Q8_0, 0.006),
            Map.entry(Layout.Q4_0, 0.1), Map.entry(Layout.Q4_1, 0.09), Map.entry(Layout.Q5_0, 0.05), Map.entry(Layout.Q5_1, 0.045),
            Map.entry(Layout.IQ4_NL, 0.09), Map.entry(Layout.Q2_K, 0.33), Map.entry(Layout.Q3_K, 0.18), Map.entry(Layout.Q4_K, 0.085),
            Map.entry(Layout.Q5_K, 0.045), Map.entry(Layout.Q6_K, 0.025)));

    @TempDir
    private Path directory;

    private static Weight random(Arena arena, Shape shape, double scale) {
        Random random = new Random(shape.hashCode());
        Tensor tensor = Tensor.allocate(arena, DType.F32, shape);
        for (long i = 0; i < shape.elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) (random.nextGaussian() * scale));
        }
        return Weight.of(tensor);
    }

    @Test
    void shouldWriteWhatIsRead() throws Exception {
        Path file = directory.resolve("all.gguf");
        try (Arena arena = Arena.ofConfined()) {
            new GgufWriter().put("text", "Grüße").put("number", 7).put("real", 0.5f).put("yes", true)
                    .put("texts", List.of("a", "", "日本")).put("numbers", -1, 2).put("reals", 1.5f, -2)
                    .tensor("vector", Layout.F32, random(arena, Shape.of(5), 1))
                    .tensor("matrix", Layout.F16, random(arena, Shape.of(3, 7), 1)).write(file, _ -> { });
            try (GgufWeights read = GgufWeights.open(file)) {
                GgufMetadata metadata = read.metadata();
                assertEquals(List.of("text", "number", "real", "yes", "texts", "numbers", "reals"), List.copyOf(metadata.keys()));
                assertEquals("Grüße", metadata.string("text"));
                assertEquals(7, metadata.integer("number", 0));
                assertEquals(0.5f, metadata.number("real"));
                assertTrue(metadata.bool("yes", false));
                assertEquals(List.of("a", "", "日本"), metadata.strings("texts"));
                assertArrayEquals(new int[] {-1, 2}, metadata.integers("numbers"));
                assertArrayEquals(new float[] {1.5f, -2}, metadata.numbers("reals"));
                assertEquals(Shape.of(5), read.shape("vector"));
                assertEquals(Shape.of(3, 7), read.shape("matrix"));
                assertEquals(Layout.F16, read.weight("matrix").layout());

                Path copy = directory.resolve("copy.gguf");
                var writer = new GgufWriter();
                for (String key : metadata.keys()) {
                    writer.copy(metadata, key);
                }
                for (String name : read.names()) {
                    writer.tensor(name, read.weight(name).layout(), read.weight(name));
                }
                writer.write(copy, _ -> { });
                assertEquals(-1, Files.mismatch(file, copy));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = {"I8", "U8"}, mode = EnumSource.Mode.EXCLUDE)
    void shouldRoundToTheNearest(Layout layout) throws Exception {
        Path file = directory.resolve("model.gguf");
        try (Arena arena = Arena.ofConfined()) {
            for (double scale : new double[] {1, 1e-3}) {
                Weight weight = random(arena, Shape.of(12, 768), scale);
                new GgufWriter().tensor("x", layout, weight).write(file, _ -> { });
                try (GgufWeights read = GgufWeights.open(file)) {
                    float[] before = new float[768];
                    float[] after = new float[768];
                    double squares = 0;
                    for (int row = 0; row < 12; row++) {
                        weight.read(row, 0, 768, before, 0);
                        read.weight("x").read(row, 0, 768, after, 0);
                        for (int i = 0; i < 768; i++) {
                            squares += Math.pow((before[i] - after[i]) / scale, 2);
                        }
                    }
                    double error = Math.sqrt(squares / (12 * 768));
                    assertTrue(error <= ERRORS.get(layout), layout + " of scale " + scale + ": " + error);
                }
            }
            Weight zeros = Weight.of(Tensor.allocate(arena, DType.F32, Shape.of(2, 256)));
            new GgufWriter().tensor("x", layout, zeros).write(file, _ -> { });
            try (GgufWeights read = GgufWeights.open(file)) {
                float[] values = new float[256];
                read.weight("x").read(1, 0, 256, values, 0);
                for (float value : values) {
                    assertTrue(value == 0, layout + ": " + value);
                }
            }
        }
    }

    @Test
    void shouldLeaveWhatWasThereWhenItFails() throws Exception {
        Path file = Files.writeString(directory.resolve("model.gguf"), "before");
        try (Arena arena = Arena.ofConfined()) {
            Weight weight = random(arena, Shape.of(2, 256), 1);
            weight.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 300, Float.NaN);
            var failure = assertThrows(IllegalArgumentException.class,
                    () -> new GgufWriter().tensor("x", Layout.Q4_K, weight).write(file, _ -> { }));
            assertTrue(failure.getMessage().contains("tensor x") && failure.getMessage().contains("NaN"), failure.getMessage());
            weight.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 300, 70_000);
            failure = assertThrows(IllegalArgumentException.class,
                    () -> new GgufWriter().tensor("x", Layout.F16, weight).write(file, _ -> { }));
            assertTrue(failure.getMessage().contains("65504"), failure.getMessage());
            assertEquals("before", Files.readString(file));
            try (var left = Files.list(directory)) {
                assertEquals(1, left.count());
            }
            assertThrows(FileAlreadyExistsException.class, () -> new GgufWriter().write(directory, _ -> { }));
            assertThrows(IllegalArgumentException.class, () -> new GgufWriter().tensor("x", Layout.Q4_0,
                    random(arena, Shape.of(2, 33), 1)));
            assertThrows(IllegalArgumentException.class, () -> new GgufWriter().tensor("x", Layout.I8, weight));
            assertThrows(IllegalArgumentException.class, () -> new GgufWriter().tensor("x", Layout.F32, weight)
                    .tensor("x", Layout.F32, weight));
            assertThrows(IllegalArgumentException.class, () -> new GgufWriter().put("n", -1));
        }
    }
}
