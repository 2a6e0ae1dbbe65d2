package dev.fovea.weights;

import static dev.fovea.weights.SafetensorsBytes.floats;
import static dev.fovea.weights.SafetensorsBytes.shorts;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
    @TempDir
    private Path directory;

    private Path write(String name, byte[] content) throws IOException {
        return Files.write(directory.resolve(name), content);
    }

    @Test
    void shouldViewTensorsWhenFileIsValid() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .member("\"__metadata__\":{\"format\":\"pt\"}")
                .add("matrix", "F32", "[2,3]", floats(1, 2, 3, 4, 5, 6))
                .add("größe", "I8", "[2]", new byte[] {-1, 2})
                .add("scalar", "F32", "[]", floats(7))
                .add("empty", "F32", "[4,0]", new byte[0])
                .toBytes());
        try (Weights weights = Weights.open(file)) {
            assertEquals(file, weights.file());
            assertEquals(Set.of("matrix", "größe", "scalar", "empty"), weights.names());
            assertTrue(weights.contains("scalar"));
            assertFalse(weights.contains("__metadata__"));
            assertEquals("F32[2, 3]", weights.get("matrix").toString());
            assertEquals(6, weights.get("matrix").getFloat(1, 2));
            assertEquals(7, weights.get("scalar").getFloat());
            assertEquals(Shape.of(4, 0), weights.get("empty").shape());
            assertEquals(-1, weights.get("größe").segment().get(ValueLayout.JAVA_BYTE, 0));
        }
    }

    @Test
    void shouldSortByOffsetWhenHeaderIsInAnotherOrder() throws IOException {
        byte[] data = floats(1, 2, 3);
        Path file = write("model.safetensors", SafetensorsBytes.of("""
                {"b": {"dtype":"F32","shape":[2],"data_offsets":[4,12]},
                 "a": {"data_offsets":[0,4],"shape":[1],"dtype":"F32"}}""", data));
        try (Weights weights = Safetensors.open(file)) {
            assertEquals(List.of("a", "b"), List.copyOf(weights.names()));
            assertEquals(3, weights.get("b").getFloat(1));
        }
    }

    @Test
    void shouldQuoteLongNamesCutOff() throws IOException {
        String name = "x".repeat(400_000);
        Path file = write("model.safetensors", new SafetensorsBytes().add(name, "I32", "[1]", new byte[4])
                .add(name + "y", "F32", "[1,1,1]", new byte[4]).toBytes());
        try (Weights weights = Safetensors.open(file)) {
            for (String one : List.of(name, name + "y")) {
                String message = assertThrows(IllegalArgumentException.class, () -> weights.weight(one)).getMessage();
                assertTrue(message.contains("xx…xx") && message.length() < 400, message.length() + " chars");
            }
        }
    }

    @Test
    void shouldAcceptWhiteSpaceAroundHeader() throws IOException {
        Path file = write("model.safetensors", SafetensorsBytes.of("\t\n{}\r ", new byte[0]));
        try (Weights weights = Safetensors.open(file)) {
            assertEquals(Set.of(), weights.names());
        }
    }

    @Test
    void shouldWidenHalvesExactly() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("pad", "U8", "[1]", new byte[1])
                .add("half", "F16", "[5]", shorts(0x3c00, 0xc000, 0x0001, 0x7c00, 0x7e00))
                .add("brain", "BF16", "[3]", shorts(0x3f80, 0xc0a0, 0x7fc1))
                .add("float", "F32", "[1,2]", floats(1.5f, -2))
                .toBytes());
        try (Weights weights = Safetensors.open(file); Arena arena = Arena.ofConfined()) {
            assertEquals(DType.F16, weights.get("half").dtype());
            Tensor half = weights.getF32(arena, "half");
            assertEquals(List.of(1f, -2f, 0x1p-24f, Float.POSITIVE_INFINITY, Float.NaN), values(half));
            assertEquals(List.of(1f, -5f, Float.NaN), values(weights.getF32(arena, "brain")));
            Tensor unaligned = weights.getF32(arena, "float");
            assertEquals(0, unaligned.segment().address() % Float.BYTES);
            assertEquals(-2, unaligned.getFloat(0, 1));
            Refusal.expect(IllegalArgumentException.class, () -> weights.getF32(arena, "pad"), "U8", "'pad'", "model");
        }
    }

    @Test
    void shouldWidenScalarsAndManyDimensions() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("scalar", "BF16", "[]", shorts(0x3f80))
                .add("filters", "F16", "[1,2,1]", shorts(0x3c00, 0xc000))
                .add("none", "F16", "[2,0,3]", new byte[0])
                .toBytes());
        try (Weights weights = Weights.open(file); Arena arena = Arena.ofConfined()) {
            assertEquals(1, weights.getF32(arena, "scalar").getFloat());
            assertEquals(-2, weights.getF32(arena, "filters").getFloat(0, 1, 0));
            assertEquals(Shape.of(2, 0, 3), weights.getF32(arena, "none").shape());
        }
    }

    @Test
    void shouldGiveWeightsAsTheyAreStored() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("byte", "U8", "[1]", new byte[1])
                .add("half", "F16", "[2,2]", shorts(0x3c00, 0xc000, 0x0001, 0x7c00))
                .add("brain", "BF16", "[3]", shorts(0x3f80, 0xc0a0, 0x7fc1))
                .add("float", "F32", "[1,2]", floats(1.5f, -2))
                .toBytes());
        try (Weights weights = Weights.open(file)) {
            Weight half = weights.weight("half");
            assertEquals("F16[2, 2]", half.toString());
            assertEquals(weights.get("half").segment().address(), half.segment().address());
            float[] values = new float[3];
            half.read(1, 0, 2, values, 1);
            assertArrayEquals(new float[] {0, 0x1p-24f, Float.POSITIVE_INFINITY}, values);
            weights.weight("brain").read(0, 0, 3, values, 0);
            assertArrayEquals(new float[] {1, -5, Float.NaN}, values);
            weights.weight("float").row(0).read(0, 1, 1, values, 0);
            assertEquals(-2, values[0]);
            assertNull(half.scales());
        }
    }

    @Test
    void shouldNameTensorWhenItIsNoWeight() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("filters", "F32", "[1,1,1]", floats(1))
                .add("scalar", "F32", "[]", floats(1))
                .add("ids", "I32", "[1]", new byte[4])
                .add("complex", "C64", "[1]", new byte[8])
                .toBytes());
        Weights weights = Weights.open(file);
        assertTrue(weights.isFloatingPoint("filters"));
        assertFalse(weights.isFloatingPoint("ids"));
        refuse(weights, "filters", "1 or 2 dimensions", "[1, 1, 1]");
        refuse(weights, "scalar", "1 or 2 dimensions", "shape []");
        refuse(weights, "ids", "a floating-point type", "I32");
        refuse(weights, "complex", "C64", "supported are");
        refuse(weights, "none", "no tensor");
        weights.close();
        Refusal.expect(IllegalStateException.class, () -> weights.weight("filters"), "closed", file.toString());
        Refusal.expect(IllegalStateException.class, () -> weights.isFloatingPoint("filters"), "closed");
    }

    private static void refuse(Weights weights, String name, String... words) {
        Refusal.expect(IllegalArgumentException.class, () -> weights.weight(name), words);
        Refusal.expect(IllegalArgumentException.class, () -> weights.weight(name), "'" + name + "'",
                weights.file().toString());
    }

    private static List<Float> values(Tensor tensor) {
        return LongStream.range(0, tensor.size(0)).mapToObj(i -> tensor.getFloat(i)).toList();
    }

    @Test
    void shouldGiveMappedTensorItselfWhenItIsAligned() throws IOException {
        byte[] valid = new SafetensorsBytes().add("x", "F32", "[1]", floats(1)).toBytes();
        String header = new String(valid, Long.BYTES, valid.length - 12, StandardCharsets.UTF_8);
        String padded = header + " ".repeat(-header.length() & 3);
        Path aligned = write("aligned.safetensors", SafetensorsBytes.of(padded, floats(1)));
        Path unaligned = write("unaligned.safetensors", SafetensorsBytes.of(padded + " ", floats(1)));
        try (Weights even = Weights.open(aligned);
                Weights odd = Weights.open(unaligned);
                Arena arena = Arena.ofConfined()) {
            assertSame(even.get("x"), even.getF32(arena, "x"));
            assertNotSame(odd.get("x"), odd.getF32(arena, "x"));
            assertEquals(1, odd.getF32(arena, "x").getFloat(0));
        }
    }

    @Test
    void shouldListButNotGiveTypesThatTensorsLack() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("complex", "C64", "[1]", new byte[8])
                .add("four", "F4", "[2]", new byte[1])
                .add("eight", "F8_E4M3", "[3]", new byte[3])
                .toBytes());
        try (Weights weights = Safetensors.open(file)) {
            assertEquals(3, weights.names().size());
            Refusal.expect(IllegalArgumentException.class, () -> weights.get("complex"),
                    "'complex'", file.toString(), "C64", "supported are", "BF16");
            Refusal.expect(IllegalArgumentException.class, () -> weights.get("four"), "F4");
        }
    }

    @Test
    void shouldRoundDoubles() throws IOException {
        byte[] doubles = ByteBuffer.allocate(32).order(ByteOrder.LITTLE_ENDIAN)
                .putDouble(1.0 / 3).putDouble(-0.0).putDouble(1e300).putDouble(1 + 1e-9).array();
        Path file = write("model.safetensors", new SafetensorsBytes()
                .add("a", "U8", "[3]", new byte[3])
                .add("x", "F64", "[2, 2]", doubles)
                .toBytes());
        Weights weights = Safetensors.open(file);
        try (Arena arena = Arena.ofConfined()) {
            assertTrue(weights.isFloatingPoint("x"));
            Tensor x = weights.get("x");
            assertSame(x, weights.get("x"));
            assertEquals(DType.F32, x.dtype());
            assertEquals(Shape.of(2, 2), x.shape());
            assertEquals(1f / 3, x.getFloat(0, 0));
            assertEquals(-0f, x.getFloat(0, 1));
            assertEquals(Float.POSITIVE_INFINITY, x.getFloat(1, 0));
            assertEquals(1f, weights.getF32(arena, "x").getFloat(1, 1));
            assertEquals(Shape.of(2, 2), weights.weight("x").shape());
        }
        weights.close();
        Refusal.expect(IllegalStateException.class, () -> weights.get("x"), "closed");
    }

    @Test
    void shouldNameFileWhenTensorIsAbsentOrWeightsAreClosed() throws IOException {
        Path file = write("model.safetensors", new SafetensorsBytes().add("x", "F32", "[1]", floats(1)).toBytes());
        Weights weights = Safetensors.open(file);
        Tensor kept = weights.get("x");
        Refusal.expect(IllegalArgumentException.class, () -> weights.get("y"), "'y'", file.toString());
        weights.close();
        weights.close();
        Refusal.expect(IllegalStateException.class, () -> weights.get("x"), "closed", file.toString());
        Refusal.expect(IllegalStateException.class, () -> kept.getFloat(0), "closed");
    }

    @Test
    void shouldReadShardsThroughIndex() throws IOException {
        write("model-1.safetensors", new SafetensorsBytes().add("a", "F32", "[1]", floats(1)).toBytes());
        write("model-2.safetensors", new SafetensorsBytes()
                .add("b", "F32", "[1]", floats(2))
                .add("unlisted", "F32", "[1]", floats(3))
                .toBytes());
        Path index = write("model.safetensors.index.json", """
                {"metadata": {"total_size": 8},
                 "weight_map": {"b": "model-2.safetensors", "a": "model-1.safetensors"}}
                """.getBytes());
        try (Weights weights = Weights.open(index)) {
            assertEquals(Set.of("a", "b"), weights.names());
            assertEquals(1, weights.get("a").getFloat(0));
            assertEquals(2, weights.get("b").getFloat(0));
        }
    }
}
