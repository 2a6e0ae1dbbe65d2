package dev.fovea.weights;

import static dev.fovea.weights.OnnxBytes.described;
import static dev.fovea.weights.OnnxBytes.tensor;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged and lying ONNX files: each must be refused, naming the file, the place and the values. */
class OnnxHostileTest {
    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("model.onnx");
    }

    @BeforeEach
    void writeData() throws IOException {
        Files.write(directory.resolve("data"), new byte[20]);
    }

    private static byte[] valid() {
        return new OnnxBytes()
                .initializer(tensor("w", 1, floats(1, 2, 3, 4), 2, 2))
                .initializer(described("a.bias", 1, 2).bytes(4, floats(5, 6)))
                .initializer(described("ids", 7, 3).packed(7, 1, -2, 300))
                .node("MatMul", List.of("x", "w"), "m")
                .node("Add", List.of("m", "a.bias"), "y")
                .node("Gemm", List.of("y", "w", "a.bias"), "z", OnnxBytes.attribute("transB", 1))
                .quantizedLinear("z", "v", "b.bias")
                .initializer(tensor("v_quantized", 3, new byte[] {1, -2, 3, -4, 5, -6}, 3, 2))
                .initializer(described("v_scale", 1, 2).bytes(4, floats(1, 2)))
                .initializer(described("v_zero_point", 3, 2).packed(5, 7, 8))
                .initializer(tensor("b.bias", 1, floats(1, 2), 2))
                .initializer(OnnxBytes.external("elsewhere", 1, List.of("location", "data", "offset", "4"), 2, 2))
                .node("Identity", List.of("elsewhere"), "e")
                .node("Transpose", List.of("e"), "t", OnnxBytes.attribute("perm", 1, 0))
                .node("MatMul", List.of("x", "t"), "p")
                .fused("BiasGelu", List.of("p", "a.bias"), "q")
                .constant("c", tensor("", 1, floats(1, 2), 1, 2))
                .fused("Attention", List.of("q", "w", "a.bias"), "r")
                .node("MatMul", List.of("r", "w"), "s")
                .fused("SkipLayerNormalization", List.of("s", "r", "a.bias", "a.bias", "a.bias"), "u")
                .toBytes();
    }

    private record Case(String name, byte[] content, String field, String... words) {}

    /** A graph, which stands in the file as the only field of the model. */
    private static Case graph(String name, ProtoBytes graph, String field, String... words) {
        return new Case(name, new ProtoBytes().message(7, graph).toBytes(), field, words);
    }

    /** A graph of one initializer. */
    private static Case initializer(String name, ProtoBytes tensor, String field, String... words) {
        return graph(name, new ProtoBytes().message(5, tensor), "initializer[0]." + field, words);
    }

    /** A file of bare bytes. */
    private static Case file(String name, ProtoBytes content, String field, String... words) {
        return new Case(name, content.toBytes(), field, words);
    }

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        return Stream.of(encodings(), initializers(), external(), quantized()).flatMap(cases -> cases).map(hostile -> dynamicTest(
                hostile.name, () -> Refusal.expect(file, hostile.content, hostile.field, hostile.words)));
    }

    private static Stream<Case> encodings() {
        return Stream.of(
                file("an empty file", new ProtoBytes(), "model.graph", "no graph"),
                file("a model without graph", new ProtoBytes().varint(1, 8), "model.graph", "no graph"),
                file("text", new ProtoBytes().raw("not an ONNX model".getBytes(StandardCharsets.UTF_8)), "model"),
                file("field number 0", new ProtoBytes().raw(0), "field tag", "number 0"),
                file("a field number too large", new ProtoBytes().raw(1L << 35), "field tag", "number 4294967296"),
                file("the start of a group", new ProtoBytes().tag(7, 3), "field 7", "wire type 3"),
                file("the end of a group", new ProtoBytes().tag(7, 4), "field 7", "wire type 4"),
                file("wire type 6", new ProtoBytes().tag(7, 6), "field 7", "wire type 6"),
                file("wire type 7", new ProtoBytes().tag(7, 7), "field 7", "wire type 7"),
                file("a varint of 11 bytes",
                        new ProtoBytes().tag(1, 0).raw(bytes(0x80, 10)).raw(0), "field 1", "64 bits"),
                file("a varint of 70 bits", new ProtoBytes().tag(1, 0).raw(bytes(0xff, 9)).raw((byte) 0x7f), "field 1",
                        "64 bits"),
                file("a varint that does not end", new ProtoBytes().tag(1, 0).raw(bytes(0x80, 3)), "field 1",
                        "within a number"),
                file("8 bytes cut short", new ProtoBytes().tag(1, 1).raw(new byte[7]), "field 1", "8 bytes", "7"),
                file("4 bytes cut short", new ProtoBytes().tag(1, 5).raw(new byte[1]), "field 1", "4 bytes", "1"),
                file("a graph that is a number", new ProtoBytes().varint(7, 1), "model.graph", "wire type 2", "got 0"),
                file("a graph past the end", new ProtoBytes().tag(7, 2).raw(5).raw(new byte[4]), "model.graph",
                        "5 bytes", "4"),
                file("a graph of 2^63 bytes", new ProtoBytes().tag(7, 2).raw(Long.MIN_VALUE), "model.graph",
                        "9223372036854775808"),
                file("a graph of 2^64-1 bytes", new ProtoBytes().tag(7, 2).raw(-1), "model.graph",
                        "18446744073709551615"),
                graph("an initializer past its graph", new ProtoBytes().tag(5, 2).raw(100).raw(new byte[9]),
                        "model.graph.initializer[0]", "100 bytes", "9"),
                graph("an initializer that is a number", new ProtoBytes().varint(5, 1), "initializer[0]",
                        "wire type 2"),
                graph("a node's input that is a number", new ProtoBytes().message(1,
                        new ProtoBytes().varint(1, 5).text(4, "Add")), "node.input", "wire type 2"),
                graph("an attribute's number as text", new ProtoBytes().message(1, new ProtoBytes().text(4, "Gemm")
                        .message(5, new ProtoBytes().text(1, "alpha").text(2, "x"))), "attribute.f", "wire type 5"),
                graph("an operator that is not UTF-8", new ProtoBytes().message(1,
                        new ProtoBytes().bytes(4, bytes(0xc0, 2))), "node.op_type", "UTF-8"));
    }

    private static Stream<Case> initializers() {
        return Stream.of(
                initializer("no name", new ProtoBytes().varint(2, 1), "name", "needs a name"),
                initializer("a name that is not UTF-8", new ProtoBytes().bytes(8, bytes(0xff, 1)), "name", "UTF-8"),
                initializer("a name of 70000 bytes", new ProtoBytes().bytes(8, bytes('a', 70_000)), "name", "70000"),
                graph("two of one name", new ProtoBytes()
                        .message(5, tensor("x", 1, floats(1), 1))
                        .message(5, tensor("x", 1, floats(1), 1)), "initializer[1].name", "'x'"),
                initializer("a negative size", tensor("x", 1, floats(1), 1, -1), "dims", "-1", "dimension 1"),
                initializer("sizes that overflow", tensor("x", 1, floats(1), 1L << 32, 1L << 32), "dims",
                        "[4294967296, 4294967296]"),
                initializer("sizes that overflow in bytes", tensor("x", 1, floats(1), 1L << 62), "dims", "2^63"),
                initializer("sizes that overflow beside 0", described("x", 1, 1L << 62, 8, 0), "dims", "2^63"),
                initializer("65 dimensions", described("x", 1, new long[65]), "dims", "64"),
                initializer("dims as 4 bytes", new ProtoBytes().tag(1, 5).raw(new byte[4]), "dims", "wire type 0"),
                initializer("packed dims cut short", new ProtoBytes().bytes(1, bytes(0x80, 2)), "dims", "within"),
                initializer("data_type as text", new ProtoBytes().text(2, "1"), "data_type", "wire type 0"),
                initializer("too little raw_data", tensor("x", 1, new byte[15], 2, 2), "dims", "16 bytes", "15"),
                initializer("too much raw_data", tensor("x", 1, new byte[17], 2, 2), "dims", "16 bytes", "17"),
                initializer("no data", described("x", 1, 4), "dims", "16 bytes", "has 0"),
                initializer("no data of 2^60 elements", described("x", 1, 1L << 60), "dims", "has 0"),
                initializer("raw and typed data", tensor("x", 1, floats(1), 1).fixed32(4, 1), "raw_data", "beside 1"),
                initializer("too few floats", described("x", 1, 2).bytes(4, floats(1)), "dims", "8 bytes", "has 4"),
                initializer("half a float", described("x", 1, 1).bytes(4, new byte[6]), "float_data", "6 bytes"),
                initializer("a float as varint", described("x", 1, 1).varint(4, 1), "float_data", "wire type"),
                initializer("floats for integers", described("x", 7, 1).fixed32(4, 1), "data_type", "INT64", "4"),
                initializer("int32_data for INT64", described("x", 7, 1).packed(5, 1), "data_type", "INT64", "5"),
                initializer("an INT8 of 128", described("x", 3, 1).packed(5, 128), "data", "128", "INT8"),
                initializer("a UINT8 of -1", described("x", 2, 1).packed(5, -1), "data", "-1", "UINT8"),
                initializer("an INT32 of 2^31", described("x", 6, 1).packed(5, 1L << 31), "data", "2147483648"),
                initializer("a FLOAT16 of 2^16", described("x", 10, 1).packed(5, 1 << 16), "data", "65536"),
                initializer("integers cut short", described("x", 7, 1).bytes(7, bytes(0x80, 2)), "data", "within"),
                initializer("a segment", described("x", 1, 1).message(3, new ProtoBytes()), "segment", "not supported"),
                initializer("data in two files", tensor("x", 1, floats(1), 1).varint(14, 1), "data_location",
                        "another file", "this one too"),
                graph("a constant of too little data", new ProtoBytes().message(1, new ProtoBytes().text(4, "Constant")
                        .text(2, "c").message(5, new ProtoBytes().text(1, "value").message(5, tensor("", 1, floats(1), 2)))),
                        "node.attribute.t.dims", "8 bytes", "has 4"));
    }

    /** Data of 2 x 2 floats in another file; {@code data} with 20 bytes is there. */
    private static Case external(String name, String field, List<String> entries, String... words) {
        return initializer(name, OnnxBytes.external("x", 1, entries, 2, 2), "external_data." + field, words);
    }

    private static Stream<Case> external() {
        return Stream.of(
                external("no location", "location", List.of("offset", "0"), "got none"),
                external("an empty location", "location", List.of("location", ""), "got none"),
                external("an absent file", "location", List.of("location", "absent.data"), "absent.data", "no such file"),
                external("a directory", "location", List.of("location", "."), "directory"),
                external("a path out of the directory", "location", List.of("location", "../data"), "'../data'"),
                external("a path out and in again", "location", List.of("location", "a/../../data"), "'a/../../data'"),
                external("an absolute path", "location", List.of("location", "/etc/hostname"), "'/etc/hostname'"),
                external("a path of Windows", "location", List.of("location", "..\\data"), "directory, got"),
                external("a drive", "location", List.of("location", "C:data"), "'C:data'"),
                external("a location with NUL", "location", List.of("location", "a\0b"), "directory, got"),
                external("a location of 60000 chars", "location", List.of("location", "a/".repeat(30_000)), "a/a/a"),
                external("an offset past the end", "offset", List.of("location", "data", "offset", "21"), "16 bytes", "21",
                        "has 20"),
                external("an offset too near the end", "offset", List.of("location", "data", "offset", "8"), "16 bytes"),
                external("an offset of 2^63 - 1", "offset", List.of("location", "data", "offset", "" + Long.MAX_VALUE),
                        "16 bytes"),
                external("an offset of 2^63", "offset", List.of("location", "data", "offset", "9223372036854775808"),
                        "'9223372036854775808'"),
                external("a negative offset", "offset", List.of("location", "data", "offset", "-1"), "'-1'"),
                external("an offset in words", "offset", List.of("location", "data", "offset", "four"), "'four'"),
                external("a length that is not the shape's", "length", List.of("location", "data", "length", "20"),
                        "16 bytes", "got 20"),
                initializer("sizes of 2^60 elements elsewhere",
                        OnnxBytes.external("x", 1, List.of("location", "data"), 1L << 60), "external_data.offset", "has 20"));
    }

    /** Of a weight [3, 2] of bytes that a MatMulInteger multiplies. */
    private static Case quantized(String name, String field, List<ProtoBytes> tensors, String... words) {
        OnnxBytes model = new OnnxBytes().quantizedLinear("x", "v", "v.bias")
                .initializer(tensor("v_quantized", 3, new byte[6], 3, 2));
        tensors.forEach(model::initializer);
        return new Case(name, model.toBytes(), field, words);
    }

    private static Stream<Case> quantized() {
        ProtoBytes scale = tensor("v_scale", 1, floats(1, 1), 2);
        return Stream.of(
                quantized("no scale", "v_scale", List.of(), "no such tensor", "v_quantized I8[3, 2]"),
                quantized("scales for rows", "v_scale", List.of(tensor("v_scale", 1, floats(1, 1, 1), 3)),
                        "1 element or 2", "F32[3]"),
                quantized("a scale for each element", "v_scale", List.of(tensor("v_scale", 1, new byte[24], 3, 2)),
                        "1 element or 2", "F32[3, 2]"),
                quantized("no element of scale", "v_scale", List.of(tensor("v_scale", 1, floats(), 0)), "F32[0]"),
                quantized("integers as scale", "v_scale", List.of(tensor("v_scale", 6, floats(1), 1)), "F32", "I32"),
                quantized("doubles as scale", "v_scale", List.of(tensor("v_scale", 11, new byte[8], 1)), "F32",
                        "type 11"),
                quantized("an infinite scale", "v_scale",
                        List.of(tensor("v_scale", 1, floats(1, Float.POSITIVE_INFINITY), 2)), "Infinity at 1"),
                quantized("a scale that is no number", "v_scale", List.of(tensor("v_scale", 1, floats(Float.NaN))),
                        "NaN at 0"),
                quantized("an unsigned zero point", "v_zero_point",
                        List.of(scale, tensor("v_zero_point", 2, new byte[2], 2)), "I8", "v_quantized", "U8"),
                quantized("a zero point of no type", "v_zero_point",
                        List.of(scale, tensor("v_zero_point", 22, new byte[1], 2)), "I8", "type 22"),
                quantized("one zero point for two scales", "v_zero_point",
                        List.of(scale, tensor("v_zero_point", 3, new byte[1])), "2", "I8[]"),
                quantized("zero points for rows", "v_zero_point",
                        List.of(scale, tensor("v_zero_point", 3, new byte[3], 3)), "2", "I8[3]"),
                new Case("scales for columns that nothing multiplies", new OnnxBytes()
                        .initializer(tensor("v_quantized", 3, new byte[6], 3, 2)).initializer(scale).toBytes(),
                        "v_scale", "1 element for", "F32[2]"));
    }

    private static byte[] bytes(int value, int count) {
        byte[] bytes = new byte[count];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    @Test
    void shouldRefuseEachPrefixOfValidFile() throws IOException {
        byte[] valid = new ProtoBytes().message(7, new ProtoBytes()
                .message(5, tensor("w", 1, floats(1, 2), 2))
                .message(1, new ProtoBytes().text(4, "Add").text(1, "w"))).toBytes();
        Refusal.expectOfEachPrefix(file, valid);
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldRefuseOrReadEachBitFlip(long seed) throws IOException {
        Refusal.expectOrReadEachFlip(file, valid(), seed);
    }

    /** A cycle, chains of any length and uses of nothing: no endless loop, no deep recursion, nothing guessed. */
    @Test
    void shouldReadOnlyWhatNodesSay() throws IOException {
        OnnxBytes model = new OnnxBytes().floats("x", 2, 2).floats("x.bias", 2)
                .node("Identity", List.of("b"), "a").node("Identity", List.of("a"), "b")
                .node("Transpose", List.of("self"), "self")
                .node("MatMul", List.of("y", "a"), "m").node("Add", List.of("m", "x.bias"), "n")
                .node("MatMul", List.of("m", "m"), "m").node("Cast", List.of("m"), "m")
                .fused("Attention", List.of("y", "absent"), "o").fused("Attention", List.of(), "")
                .fused("QAttention", List.of("o", "x", "", "", "x", "", "", "x"), "o")
                .node("DequantizeLinear", List.of("x", "x", "x"), "d").node("Mul", List.of("m", "m"), "m");
        for (int i = 0; i < 20_000; i++) {
            model.node("Identity", List.of("i" + (i + 1)), "i" + i);
            model.node("Identity", List.of(i == 0 ? "x" : "j" + (i - 1)), "j" + i);
        }
        Files.write(file, model.toBytes());
        try (Weights weights = Weights.open(file)) {
            assertFalse(weights.contains("a") || weights.contains("self") || weights.contains("i0") || weights.contains("d"));
            assertEquals(weights.get("x").segment(), weights.get("j19999").segment());
        }
    }

    @Test
    void shouldNameFileWhenItIsAbsentOrDirectory() throws IOException {
        Refusal.expect(NoSuchFileException.class, () -> Weights.open(file), file.toString(), "no such file");
        Files.createDirectory(file);
        Refusal.expect(FileSystemException.class, () -> Weights.open(file), file.toString(), "directory");
    }
}
