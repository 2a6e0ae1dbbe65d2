package dev.fovea.weights;

import static dev.fovea.weights.OnnxBytes.attribute;
import static dev.fovea.weights.OnnxBytes.described;
import static dev.fovea.weights.OnnxBytes.tensor;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OnnxWeightsTest {
    @TempDir
    private Path directory;

    private Weights open(byte[] content) throws IOException {
        return Weights.open(Files.write(directory.resolve("model.onnx"), content));
    }

    private Weights open(OnnxBytes model) throws IOException {
        return open(model.toBytes());
    }

    private static float[] floatsOf(Weights weights, String name) {
        return weights.get(name).segment().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    }

    @Test
    void shouldViewRawData() throws IOException {
        try (Weights weights = open(new OnnxBytes().initializer(tensor("x", 1, floats(1, 2, 3, 4, 5, 6), 2, 3)))) {
            assertEquals(Set.of("x"), weights.names());
            assertEquals("F32[2, 3]", weights.get("x").toString());
            assertEquals(6, weights.get("x").getFloat(1, 2));
        }
    }

    @Test
    void shouldReadFloatsInEachEncoding() throws IOException {
        ProtoBytes single = described("single", 1, 2).fixed32(4, 1).fixed32(4, 2);
        ProtoBytes packed = described("packed", 1, 2).bytes(4, floats(3, 4));
        ProtoBytes mixed = new ProtoBytes().fixed32(4, 5).bytes(4, floats(6, 7)).fixed32(4, 8)
                .varint(1, 2).varint(1, 2).varint(2, 1).text(8, "mixed");
        try (Weights weights = open(new OnnxBytes().initializer(single).initializer(packed).initializer(mixed))) {
            assertArrayEquals(new float[] {1, 2}, floatsOf(weights, "single"));
            assertArrayEquals(new float[] {3, 4}, floatsOf(weights, "packed"));
            assertArrayEquals(new float[] {5, 6, 7, 8}, floatsOf(weights, "mixed"));
            assertEquals(Shape.of(2, 2), weights.get("mixed").shape());
        }
    }

    @Test
    void shouldReadIntegersAndHalvesInTypedData() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(described("i64", 7, 3).packed(7, -1, Long.MIN_VALUE, 5))
                .initializer(described("i64 singly", 7, 2).varint(7, 9).varint(7, -9))
                .initializer(described("i32", 6, 2).packed(5, -7, Integer.MAX_VALUE))
                .initializer(described("i8", 3, 2).packed(5, -128, 127))
                .initializer(described("u8", 2, 2).packed(5, 0, 255))
                .initializer(described("f16", 10, 2).packed(5, 0x3c00, 0xc000))
                .initializer(described("bf16", 16, 1).packed(5, 0x4040));
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertArrayEquals(new long[] {-1, Long.MIN_VALUE, 5},
                    weights.get("i64").segment().toArray(ValueLayout.JAVA_LONG));
            assertArrayEquals(new long[] {9, -9}, weights.get("i64 singly").segment().toArray(ValueLayout.JAVA_LONG));
            assertArrayEquals(new int[] {-7, Integer.MAX_VALUE},
                    weights.get("i32").segment().toArray(ValueLayout.JAVA_INT));
            assertArrayEquals(new byte[] {-128, 127}, weights.get("i8").segment().toArray(ValueLayout.JAVA_BYTE));
            assertArrayEquals(new byte[] {0, -1}, weights.get("u8").segment().toArray(ValueLayout.JAVA_BYTE));
            assertEquals(DType.F16, weights.get("f16").dtype());
            assertEquals(-2, weights.getF32(arena, "f16").getFloat(1));
            assertEquals(3, weights.getF32(arena, "bf16").getFloat(0));
        }
    }

    @Test
    void shouldReadScalarsAndEmptyTensors() throws IOException {
        try (Weights weights = open(new OnnxBytes()
                .initializer(tensor("scalar", 1, floats(4)))
                .initializer(described("empty", 1, 0, 5)))) {
            assertEquals(4, weights.get("scalar").getFloat());
            assertEquals(Shape.of(0, 5), weights.get("empty").shape());
        }
    }

    @Test
    void shouldListButNotGiveTypesThatTensorsLack() throws IOException {
        try (Weights weights = open(new OnnxBytes().initializer(tensor("double", 11, new byte[8], 1)))) {
            assertEquals(Set.of("double"), weights.names());
            Refusal.expect(IllegalArgumentException.class, () -> weights.get("double"), "'double'", "type 11",
                    "model.onnx");
        }
    }

    @Test
    void shouldNameWeightOfMatMulAfterTheBiasThatIsAdded() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("onnx::MatMul_1", 1, floats(1, 2, 3, 4, 5, 6), 2, 3))
                .floats("a.bias", 3)
                .floats("onnx::MatMul_2", 3, 4)
                .floats("b.bias", 4)
                .node("MatMul", List.of("x", "onnx::MatMul_1"), "m")
                .node("Add", List.of("a.bias", "m"), "y")
                .node("MatMul", List.of("y", "onnx::MatMul_2"), "n")
                .node("Add", List.of("n", "b.bias"), "z");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of("a.bias", "b.bias", "a.weight", "b.weight"), weights.names());
            Tensor weight = weights.getF32(arena, "a.weight");
            assertEquals(Shape.of(3, 2), weight.shape());
            assertEquals(6, weight.getFloat(2, 1));
            assertEquals(4, weight.getFloat(0, 1));
            assertEquals(Shape.of(4, 3), weights.get("b.weight").shape());
            float[] row = new float[2];
            weights.weight("a.weight").read(2, 0, 2, row, 0);
            assertArrayEquals(new float[] {3, 6}, row);
            assertEquals("F32[3, 2] strides [1, 3]", weights.weight("a.weight").toString());
        }
    }

    @Test
    void shouldNameWeightOfGemmAfterItsBias() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .floats("w1", 2, 3).floats("a.bias", 3)
                .floats("w2", 4, 3).floats("b.bias", 4)
                .floats("w3", 4, 5).floats("c.bias", 5)
                .floats("w4", 5, 5).floats("d.bias", 5)
                .node("Gemm", List.of("x", "w1", "a.bias"), "y")
                .node("Gemm", List.of("y", "w2", "b.bias"), "z", attribute("transB", 1), attribute("alpha", 1f))
                .node("Gemm", List.of("z", "w3", "c.bias"), "u", attribute("alpha", 0.5f))
                .node("Gemm", List.of("u", "w4", "d.bias"), "v", attribute("transA", 1));
        try (Weights weights = open(model)) {
            assertEquals(Shape.of(3, 2), weights.get("a.weight").shape());
            assertEquals(Shape.of(4, 3), weights.get("b.weight").shape());
            assertTrue(weights.contains("w3") && !weights.contains("c.weight"), "scaled: not a plain linear layer");
            assertTrue(weights.contains("w4") && !weights.contains("d.weight"), "transposed: not a linear layer");
        }
    }

    @Test
    void shouldKeepNamesThatAreThere() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .floats("a.weight", 3, 3)
                .floats("a.bias", 3)
                .floats("other", 3, 3)
                .floats("b.bias", 2)
                .node("MatMul", List.of("x", "other"), "m")
                .node("Add", List.of("m", "a.bias"), "y")
                .node("MatMul", List.of("y", "other"), "n")
                .node("Add", List.of("n", "b.bias"), "z")
                .node("Add", List.of("n", "absent.bias"), "u")
                .node("MatMul", List.of("x"), "v")
                .node("Gemm", List.of(), "w");
        try (Weights weights = open(model)) {
            assertEquals(Set.of("a.weight", "a.bias", "other", "b.bias"), weights.names());
        }
    }

    @Test
    void shouldGiveSharedWeightToEachLayer() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .floats("shared", 2, 2).floats("a.bias", 2).floats("b.bias", 2)
                .node("MatMul", List.of("x", "shared"), "m").node("Add", List.of("m", "a.bias"), "y")
                .node("MatMul", List.of("y", "shared"), "n").node("Add", List.of("n", "b.bias"), "z");
        try (Weights weights = open(model)) {
            assertEquals(Set.of("a.bias", "b.bias", "a.weight", "b.weight"), weights.names());
        }
    }

    @Test
    void shouldPassOverWhatItDoesNotKnow() throws IOException {
        ProtoBytes graph = new ProtoBytes().text(10, "doc").message(5, tensor("x", 1, floats(1), 1).text(12, "doc"))
                .tag(99, 1).raw(new byte[8]).tag(98, 5).raw(new byte[4]).varint(97, -1);
        try (Weights weights = open(OnnxBytes.model(graph))) {
            assertEquals(1, weights.get("x").getFloat(0));
        }
    }

    @Test
    void shouldFailWhenClosed() throws IOException {
        Weights weights = open(new OnnxBytes().floats("x", 1));
        Tensor kept = weights.get("x");
        weights.close();
        weights.close();
        Refusal.expect(IllegalStateException.class, () -> weights.get("x"), "closed", "model.onnx");
        Refusal.expect(IllegalStateException.class, () -> kept.getFloat(0), "closed");
    }
}
