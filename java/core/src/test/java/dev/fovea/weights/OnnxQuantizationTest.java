package dev.fovea.weights;

import static dev.fovea.weights.OnnxBytes.described;
import static dev.fovea.weights.OnnxBytes.tensor;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that ONNX Runtime's dynamic quantization stores as integers. */
class OnnxQuantizationTest {
    private static final int UINT8 = 2;
    private static final int INT8 = 3;

    @TempDir
    private Path directory;

    private Weights open(OnnxBytes model) throws IOException {
        return Weights.open(Files.write(directory.resolve("model.onnx"), model.toBytes()));
    }

    @Test
    void shouldGiveWhatIntegersStandForByColumn() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("onnx::MatMul_1_quantized", INT8, new byte[] {1, -2, 127, -128, 5, -6}, 3, 2))
                .initializer(described("onnx::MatMul_1_scale", 1, 2).bytes(4, floats(0.1f, 3e-5f)))
                .initializer(described("onnx::MatMul_1_zero_point", INT8, 2).packed(5, -3, 4))
                .floats("a.bias", 2)
                .quantizedLinear("x", "onnx::MatMul_1", "a.bias");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of("a.weight", "a.bias"), weights.names());
            assertTrue(weights.isFloatingPoint("a.weight"));
            assertEquals(DType.I8, weights.get("a.weight").dtype());
            assertEquals(Shape.of(2, 3), weights.get("a.weight").shape());
            Tensor weight = weights.getF32(arena, "a.weight");
            assertEquals(Shape.of(2, 3), weight.shape());
            assertEquals(0.1f * 4, weight.getFloat(0, 0));
            assertEquals(0.1f * 130, weight.getFloat(0, 1));
            assertEquals(0.1f * 8, weight.getFloat(0, 2));
            assertEquals(3e-5f * -6, weight.getFloat(1, 0));
            assertEquals(3e-5f * -132, weight.getFloat(1, 1));
            assertEquals(3e-5f * -10, weight.getFloat(1, 2));
            assertEquals(weights.get("a.weight").stride(0), weight.stride(0));
        }
    }

    @Test
    void shouldKeepScaleOfEachColumnWhenTheViewIsTransposed() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("onnx::MatMul_1_quantized", INT8, new byte[] {1, -2, 127, -128, 5, -6}, 3, 2))
                .initializer(described("onnx::MatMul_1_scale", 1, 2).bytes(4, floats(0.1f, 3e-5f)))
                .initializer(described("onnx::MatMul_1_zero_point", INT8, 2).packed(5, -3, 4))
                .floats("a.bias", 2)
                .quantizedLinear("x", "onnx::MatMul_1", "a.bias");
        Weights weights = open(model);
        Weight weight = weights.weight("a.weight");
        assertEquals("I8[2, 3] strides [1, 2] scales [2] of dimension 0", weight.toString());
        assertEquals(weights.get("a.weight").segment().address(), weight.segment().address());
        assertSame(weight.scales(), weights.weight("a.weight").scales());
        float[] values = new float[3];
        weight.read(0, 0, 3, values, 0);
        assertArrayEquals(new float[] {0.1f * 4, 0.1f * 130, 0.1f * 8}, values);
        weight.row(1).read(0, 0, 3, values, 0);
        assertArrayEquals(new float[] {3e-5f * -6, 3e-5f * -132, 3e-5f * -10}, values);
        weights.close();
        Refusal.expect(IllegalStateException.class, () -> weight.read(0, 0, 1, values, 0), "closed");
        Refusal.expect(IllegalStateException.class, () -> weights.weight("a.weight"), "closed", "model.onnx");
        Refusal.expect(IllegalStateException.class, () -> weights.isFloatingPoint("a.weight"), "closed", "model.onnx");
        Refusal.expect(IllegalStateException.class, () -> weights.getF32(Arena.ofAuto(), "a.weight"), "closed",
                "model.onnx");
    }

    @Test
    void shouldGiveIntegersOfAnyRankButWeightsOfTwo() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("filters_quantized", UINT8, new byte[] {0, -1}, 1, 2, 1))
                .initializer(tensor("filters_scale", 1, floats(0.5f), 1))
                .initializer(tensor("scalar_quantized", INT8, new byte[] {-3}))
                .initializer(tensor("scalar_scale", 1, floats(2)))
                .initializer(tensor("vector_quantized", INT8, new byte[] {-3, 3}, 2))
                .initializer(tensor("vector_scale", 1, floats(2)));
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(127.5f, weights.getF32(arena, "filters").getFloat(0, 1, 0));
            assertEquals(-6, weights.getF32(arena, "scalar").getFloat());
            assertEquals(6, weights.getF32(arena, "vector").getFloat(1));
            assertEquals("I8[2] scales [1] of dimension 0", weights.weight("vector").toString());
            Refusal.expect(IllegalArgumentException.class, () -> weights.weight("filters"), "'filters'", "[1, 2, 1]",
                    "model.onnx");
            Refusal.expect(IllegalArgumentException.class, () -> weights.weight("scalar"), "'scalar'", "shape []");
        }
    }

    @Test
    void shouldGiveWhatBytesOfATableStandFor() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("words_quantized", UINT8, new byte[] {0, 1, 127, -128, -2, -1}, 3, 2))
                .initializer(described("words_scale", 1).bytes(4, floats(0.5f)))
                .initializer(described("words_zero_point", UINT8).packed(5, 130))
                .node("Gather", List.of("words_quantized", "ids"), "rows_quantized");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of("words"), weights.names());
            Tensor words = weights.getF32(arena, "words");
            assertEquals(Shape.of(3, 2), words.shape());
            assertEquals(-65, words.getFloat(0, 0));
            assertEquals(-64.5f, words.getFloat(0, 1));
            assertEquals(-1.5f, words.getFloat(1, 0));
            assertEquals(-1, words.getFloat(1, 1));
            assertEquals(62, words.getFloat(2, 0));
            assertEquals(62.5f, words.getFloat(2, 1));
        }
    }

    @Test
    void shouldTakeAbsentZeroPointAsZero() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("v_quantized", INT8, new byte[] {-128, 3}, 1, 2))
                .initializer(tensor("v_scale", 1, floats(0.25f), 1))
                .initializer(tensor("none_quantized", INT8, new byte[0], 3, 0))
                .initializer(tensor("none_scale", 1, new byte[0], 0))
                .quantizedLinear("x", "none", "none.bias");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(-32, weights.getF32(arena, "v").getFloat(0, 0));
            assertEquals(0.75f, weights.getF32(arena, "v").getFloat(0, 1));
            assertEquals(Shape.of(3, 0), weights.getF32(arena, "none").shape());
        }
    }

    @Test
    void shouldKeepNamesThatAreThereOrHoldNoBytes() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .floats("a", 2)
                .initializer(tensor("a_quantized", INT8, new byte[2], 2))
                .floats("b_quantized", 2)
                .initializer(tensor("_quantized", INT8, new byte[2], 2));
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of("a", "a_quantized", "b_quantized", "_quantized"), weights.names());
            assertFalse(weights.isFloatingPoint("a_quantized"));
            Refusal.expect(IllegalArgumentException.class, () -> weights.getF32(arena, "a_quantized"), "I8",
                    "'a_quantized'", "model.onnx");
            Refusal.expect(IllegalArgumentException.class, () -> weights.weight("a_quantized"), "I8",
                    "'a_quantized'", "model.onnx");
        }
    }

    @Test
    void shouldNotNameWeightWhoseProductHasAnotherScale() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("v_quantized", INT8, new byte[4], 2, 2))
                .initializer(tensor("v_scale", 1, floats(1)))
                .initializer(tensor("u_quantized", INT8, new byte[4], 2, 2))
                .initializer(tensor("u_scale", 1, floats(2)))
                .floats("a.bias", 2)
                .node("Mul", List.of("x_scale", "u_scale"), "scales")
                .node("MatMulInteger", List.of("x_quantized", "v_quantized"), "integers")
                .node("Cast", List.of("integers"), "cast")
                .node("Mul", List.of("cast", "scales"), "product")
                .node("Mul", List.of("cast"), "one input")
                .node("Add", List.of("product", "a.bias"), "y")
                .node("Add", List.of("cast", "a.bias"), "z")
                .node("MatMulInteger", List.of("x_quantized"), "no weight");
        try (Weights weights = open(model)) {
            assertEquals(Set.of("v", "u", "a.bias"), weights.names());
        }
    }
}
