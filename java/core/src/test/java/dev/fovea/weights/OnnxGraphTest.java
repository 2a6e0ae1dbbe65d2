package dev.fovea.weights;

import static dev.fovea.weights.OnnxBytes.attribute;
import static dev.fovea.weights.OnnxBytes.described;
import static dev.fovea.weights.OnnxBytes.external;
import static dev.fovea.weights.OnnxBytes.tensor;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.Shape;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that nodes of a graph rename, turn, widen or fuse. */
class OnnxGraphTest {
    private static final int INT8 = 3;
    private static final int UINT8 = 2;
    private static final int FLOAT16 = 10;

    @TempDir
    private Path directory;

    private Weights open(OnnxBytes model) throws IOException {
        return Weights.open(Files.write(directory.resolve("model.onnx"), model.toBytes()));
    }

    /** [2, 3] of 1 to 6. */
    private static ProtoBytes matrix(String name) {
        return tensor(name, 1, floats(1, 2, 3, 4, 5, 6), 2, 3);
    }

    @Test
    void shouldReadConstantsAndTheirOtherNames() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .constant("hidden", matrix("")).node("Identity", List.of("hidden"), "a.weight")
                .constant("b.bias", tensor("", 1, floats(7, 8), 2))
                .constant("shape", described("", 7, 2).packed(7, 1, 2)).constant("epsilon", tensor("", 1, floats(1)))
                .node("Identity", List.of("b.bias"), "c.bias");
        try (Weights weights = open(model)) {
            assertEquals(6, weights.get("a.weight").getFloat(1, 2));
            assertEquals(8, weights.get("c.bias").getFloat(1));
            assertEquals(Set.of("hidden", "a.weight", "b.bias", "c.bias"), weights.names());
        }
    }

    @Test
    void shouldTurnWhatNodesTranspose() throws IOException {
        OnnxBytes model = new OnnxBytes().initializer(matrix("a.weight")).initializer(matrix("b"))
                .floats("b.bias", 2)
                .node("Transpose", List.of("a.weight"), "t", attribute("perm", 1, 0)).node("MatMul", List.of("x", "t"), "y")
                .node("Transpose", List.of("b"), "u").node("MatMul", List.of("y", "u"), "z")
                .node("Add", List.of("z", "b.bias"), "v");
        try (Weights weights = open(model)) {
            assertEquals(Shape.of(2, 3), weights.get("a.weight").shape());
            assertEquals(6, weights.get("a.weight").getFloat(1, 2));
            assertEquals(3, weights.get("b.weight").getFloat(0, 2));
        }
    }

    /** The quantizer stores the weight of a Gemm so, under the name that it had before. */
    @Test
    void shouldTurnWeightThatHasItsNameButIsStoredTheOtherWayAround() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("a.weight_quantized", INT8, new byte[] {1, 2, 3, 4}, 2, 2))
                .initializer(tensor("a.weight_scale", 1, floats(0.5f))).initializer(described("a.weight_zero_point", INT8).packed(5, 0))
                .floats("a.bias", 2).quantizedLinear("x", "a.weight", "a.bias")
                .initializer(matrix("b.weight")).node("MatMul", List.of("y", "b.weight"), "z")
                .initializer(matrix("tied.weight")).node("MatMul", List.of("z", "tied.weight"), "v")
                .node("Gemm", List.of("v", "tied.weight"), "w", attribute("transB", 1L));
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(1.5f, weights.getF32(arena, "a.weight").getFloat(0, 1));
            assertEquals(1, weights.getF32(arena, "a.weight").getFloat(1, 0));
            assertEquals(Shape.of(3, 2), weights.get("b.weight").shape());
            assertEquals(Shape.of(2, 3), weights.get("tied.weight").shape(), "used both ways: as it is stored");
        }
    }

    @Test
    void shouldFollowCastsThatRoundNothing() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(described("half", FLOAT16, 2).packed(5, 0x3c00, 0xc000))
                .node("Cast", List.of("half"), "a.weight", attribute("to", 1L))
                .floats("b", 2).node("Cast", List.of("b"), "b.weight", attribute("to", (long) FLOAT16));
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(-2, weights.getF32(arena, "a.weight").getFloat(1));
            assertFalse(weights.contains("b.weight"), "rounded to half precision");
        }
    }

    @Test
    void shouldTakeScaleAndZeroPointFromTheNodesThatUseThem() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("q", INT8, new byte[] {1, 2, 3, 4, 5, 6}, 2, 3))
                .initializer(tensor("s", 1, floats(2, 10), 2)).initializer(described("z", INT8, 2).packed(5, 1, -1))
                .node("DequantizeLinear", List.of("q", "s", "z"), "a.weight", attribute("axis", 0L))
                .initializer(tensor("words.weight_quantized", UINT8, new byte[] {0, -1}, 1, 2))
                .initializer(tensor("shared_scale", 1, floats(0.5f))).initializer(described("shared_zero", UINT8).packed(5, 128))
                .node("Gather", List.of("words.weight_quantized", "ids"), "rows")
                .node("DequantizeLinear", List.of("rows", "shared_scale", "shared_zero"), "x");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(4, weights.getF32(arena, "a.weight").getFloat(0, 2));
            assertEquals(70, weights.getF32(arena, "a.weight").getFloat(1, 2));
            assertEquals(-64, weights.getF32(arena, "words.weight").getFloat(0, 0));
            assertEquals(63.5f, weights.getF32(arena, "words.weight").getFloat(0, 1));
        }
    }

    @Test
    void shouldNameFusedIntegerProducts() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(tensor("m_quantized", INT8, new byte[] {1, 2, 3, 4, 5, 6}, 2, 3))
                .initializer(tensor("m_scale", 1, floats(1, 2, 3), 3)).floats("a.bias", 3).floats("b.bias", 3)
                .initializer(tensor("n_quantized", INT8, new byte[] {1, 2, 3, 4, 5, 6}, 2, 3))
                .initializer(tensor("n_scale", 1, floats(2)))
                .fused("DynamicQuantizeMatMul", List.of("x", "m_quantized", "m_scale", "", "a.bias"), "y")
                .fused("MatMulIntegerToFloat", List.of("q", "n_quantized", "q_s", "n_scale", "q_z", "", "b.bias"), "z");
        try (Weights weights = open(model); Arena arena = Arena.ofConfined()) {
            assertEquals(Set.of("a.weight", "a.bias", "b.weight", "b.bias"), weights.names());
            assertEquals(18, weights.getF32(arena, "a.weight").getFloat(2, 1));
            assertEquals(12, weights.getF32(arena, "b.weight").getFloat(2, 1));
        }
    }

    @Test
    void shouldNameWeightsThatTheRuntimeFuses() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(matrix("m1")).floats("a.bias", 3).node("MatMul", List.of("x", "m1"), "p1")
                .fused("BiasGelu", List.of("p1", "a.bias"), "y1")
                .floats("m2", 3, 2).floats("b.bias", 2).node("MatMul", List.of("y1", "m2"), "p2")
                .fused("SkipLayerNormalization", List.of("x", "p2", "norm", "norm", "b.bias"), "y2")
                .floats("m3", 2, 3).floats("c.bias", 3).fused("FusedMatMul", List.of("y2", "m3"), "p3")
                .fused("FastGelu", List.of("p3", "c.bias"), "y3")
                .floats("m4", 4, 3).floats("d.bias", 4)
                .fused("FusedGemm", List.of("y3", "m4", "d.bias"), "y4", attribute("transB", 1L))
                .floats("m5", 4, 4).floats("e.bias", 4).fused("FusedMatMul", List.of("y4", "m5"), "p5", attribute("alpha", 0.5f))
                .node("Add", List.of("p5", "e.bias"), "y5");
        try (Weights weights = open(model)) {
            assertEquals(Shape.of(3, 2), weights.get("a.weight").shape());
            assertEquals(Shape.of(2, 3), weights.get("b.weight").shape());
            assertEquals(Shape.of(3, 2), weights.get("c.weight").shape());
            assertEquals(Shape.of(4, 3), weights.get("d.weight").shape());
            assertFalse(weights.contains("e.weight"), "scaled");
            assertTrue(weights.brief().endsWith("no name for the weight of node 'FusedMatMul of p5' (FusedMatMul), which scales"
                    + " or turns its product"), weights.brief());
        }
    }

    @Test
    void shouldNameRowsOfAttentionAfterTheLayerBehindIt() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .floats("Attention_0_qkv_weight", 2, 6).floats("Attention_0_qkv_bias", 6)
                .fused("Attention", List.of("x", "Attention_0_qkv_weight", "Attention_0_qkv_bias"), "y")
                .floats("m", 2, 2).floats("layer.0.out.bias", 2).node("MatMul", List.of("y", "m"), "z")
                .node("Add", List.of("z", "layer.0.out.bias"), "u")
                .floats("Attention_1_qkv_weight", 2, 6).fused("Attention", List.of("u", "Attention_1_qkv_weight"), "v");
        try (Weights weights = open(model)) {
            assertEquals(Shape.of(6, 2), weights.get("layer.0.out.qkv.weight").shape());
            assertEquals(Shape.of(6), weights.get("layer.0.out.qkv.bias").shape());
            assertEquals(Shape.of(2, 2), weights.get("layer.0.out.weight").shape());
            assertTrue(weights.brief().contains("node 'Attention of v' (Attention)"), weights.brief());
        }
    }

    /** An optimizer makes one tensor of biases that are equal: the name of one is then no other's. */
    @Test
    void shouldNotNameTwoWeightsAfterOneBias() throws IOException {
        OnnxBytes model = new OnnxBytes()
                .initializer(matrix("m1")).floats("m2", 2, 3).floats("m3", 2, 3).floats("a.query.bias", 3)
                .named("", "MatMul", "/a/query/MatMul", List.of("x", "m1"), "p1").node("Add", List.of("p1", "a.query.bias"), "y1")
                .named("", "MatMul", "/a/key/MatMul_quant", List.of("x", "m2"), "p2").node("Add", List.of("p2", "a.query.bias"), "y2")
                .named("", "MatMul", "MatMul_7", List.of("x", "m3"), "p3").node("Add", List.of("p3", "a.query.bias"), "y3");
        try (Weights weights = open(model)) {
            assertEquals(6, weights.get("a.query.weight").getFloat(2, 1));
            assertEquals(0, weights.get("a.key.weight").getFloat(2, 1));
            assertTrue(weights.brief().contains("node 'MatMul_7' (MatMul)"), weights.brief());
        }
    }

    @Test
    void shouldNameWeightsWithoutBiasAfterTheirNodes() throws IOException {
        ProtoBytes scopes = new ProtoBytes().text(1, "pkg.torch.onnx.name_scopes")
                .text(2, "['', 'layers.0', 'layers.0.Wo', 'linear_3']");
        ProtoBytes graph = new ProtoBytes().message(5, matrix("val_1")).message(5, matrix("onnx::MatMul_9"))
                .message(1, new ProtoBytes().text(1, "x").text(1, "val_1").text(2, "y").text(3, "node_linear_3").text(4, "MatMul")
                        .message(9, scopes))
                .message(1, new ProtoBytes().text(1, "x").text(1, "onnx::MatMul_9").text(2, "z").text(3, "/layers.0/Wi/MatMul")
                        .text(4, "MatMul"))
                .message(5, matrix("decoder.weight"))
                .message(1, new ProtoBytes().text(1, "decoder.weight").text(1, "ids").text(2, "e").text(3, "/words/Gather")
                        .text(4, "Gather"));
        try (Weights weights = Weights.open(Files.write(directory.resolve("model.onnx"), OnnxBytes.model(graph)))) {
            assertEquals(Set.of("layers.0.Wo.weight", "layers.0.Wi.weight", "decoder.weight", "words.weight"), weights.names());
            assertEquals(Shape.of(3, 2), weights.get("layers.0.Wo.weight").shape());
            assertEquals(Shape.of(2, 3), weights.get("words.weight").shape(), "tied");
        }
    }

    @Test
    void shouldSayWhichNodePacksWeights() throws IOException {
        OnnxBytes model = new OnnxBytes().floats("a.bias", 2)
                .initializer(tensor("m_Q4", UINT8, new byte[8], 2, 1, 4)).initializer(tensor("m_scales", 1, floats(1, 1), 2))
                .named("com.microsoft", "MatMulNBits", "/a/MatMul_Q4", List.of("x", "m_Q4", "m_scales"), "y")
                .node("Add", List.of("y", "a.bias"), "z");
        try (Weights weights = open(model)) {
            Refusal.expect(IllegalArgumentException.class, () -> weights.weight("a.weight"), "'a.weight'",
                    "blocks of node '/a/MatMul_Q4' (MatMulNBits)");
        }
    }

    @Test
    void shouldMapDataOfOneOrManyFiles() throws IOException {
        Files.write(directory.resolve("all.data"), floats(0, 1, 2, 3, 4));
        Files.createDirectory(directory.resolve("parts"));
        Files.write(directory.resolve("parts/own"), floats(9));
        Files.createSymbolicLink(directory.resolve("link.data"), directory.resolve("all.data"));
        OnnxBytes model = new OnnxBytes()
                .initializer(external("a", 1, List.of("location", "all.data", "offset", "4", "length", "8", "checksum", "?"), 2))
                .initializer(external("b", 1, List.of("location", "all.data", "offset", "12"), 1, 2))
                .initializer(external("c", 1, List.of("location", "parts/own")))
                .initializer(external("d", 1, List.of("location", "link.data", "offset", "16"), 1))
                .initializer(external("none", 1, List.of("location", "all.data", "offset", "20"), 0));
        try (Weights weights = open(model)) {
            assertEquals(2, weights.get("a").getFloat(1));
            assertEquals(4, weights.get("b").getFloat(0, 1));
            assertEquals(9, weights.get("c").getFloat());
            assertEquals(4, weights.get("d").getFloat(0));
            assertEquals(Shape.of(0), weights.get("none").shape());
        }
    }
}
