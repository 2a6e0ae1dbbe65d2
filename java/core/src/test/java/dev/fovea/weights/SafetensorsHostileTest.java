package dev.fovea.weights;

import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged and lying safetensors files: each must be refused, naming the file, the place and the values. */
class SafetensorsHostileTest {
    private static final byte[] NO_DATA = {};

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("model.safetensors");
    }

    private static byte[] valid() {
        return new SafetensorsBytes()
                .member("\"__metadata__\":{\"format\":\"pt\"}")
                .add("a.weight", "F32", "[2,2]", floats(1, 2, 3, 4))
                .add("a.bias", "F32", "[2]", floats(5, 6))
                .add("ids", "I64", "[1,1]", new byte[8])
                .toBytes();
    }

    @Test
    void shouldRefuseEachPrefixOfValidFile() throws IOException {
        Refusal.expectOfEachPrefix(file, valid());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void shouldRefuseOrReadEachBitFlip(long seed) throws IOException {
        Refusal.expectOrReadEachFlip(file, valid(), seed);
    }

    @Test
    void shouldRefuseEmptyFile() throws IOException {
        Refusal.expect(file, NO_DATA, "header length", "expected 8 bytes", "has 0");
    }

    @ParameterizedTest
    @CsvSource({"100000001", "9223372036854775807", "-1", "-9223372036854775808"})
    void shouldRefuseHugeHeaderLength(long length) throws IOException {
        Refusal.expect(file, SafetensorsBytes.of(length, "{}".getBytes(), NO_DATA), "header length",
                "at most 100000000", Long.toUnsignedString(length));
    }

    @Test
    void shouldRefuseHeaderLengthPastEnd() throws IOException {
        var failure = Refusal.expect(file, SafetensorsBytes.of(60, "{}".getBytes(), NO_DATA), "header length",
                "60 bytes", "file of 10");
        assertEquals(0, failure.offset());
    }

    @Test
    void shouldRefuseHeaderThatIsNotUtf8() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of(3, new byte[] {'{', (byte) 0xff, '}'}, NO_DATA), "header", "UTF-8");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{", "", "[]", "null", "{}x", "{} {}", "{'a':1}", "{\"a\":}", "{,}", "{}//", "\u0000{}"})
    void shouldRefuseHeaderThatIsNotOneJsonObject(String header) throws IOException {
        Refusal.expect(file, SafetensorsBytes.of(header, NO_DATA), "header");
    }

    @Test
    void shouldRefuseDeepNesting() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("{\"a\":" + "[".repeat(100_000), NO_DATA), "a");
    }

    @Test
    void shouldRefuseNameThatOccursTwice() throws IOException {
        Refusal.expect(file, new SafetensorsBytes()
                .add("x", "F32", "[1]", floats(1))
                .add("x", "F32", "[1]", floats(2))
                .toBytes(), "x", "twice");
    }

    @Test
    void shouldRefuseMetadataThatOccursTwice() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("{\"__metadata__\":{},\"__metadata__\":{}}", NO_DATA), "__metadata__",
                "twice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{\"a\":1}", "{\"a\":null}", "{\"a\":{}}", "[]", "\"text\"", "null"})
    void shouldRefuseMetadataThatIsNotTexts(String metadata) throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("{\"__metadata__\":" + metadata + "}", NO_DATA), "__metadata__",
                "expected");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"dtype\":\"F32\",\"shape\":[1]}                                        | x              | missing",
        "{\"dtype\":\"F32\",\"data_offsets\":[0,4]}                               | x              | missing",
        "{\"shape\":[1],\"data_offsets\":[0,4]}                                   | x              | missing",
        "{\"dtype\":\"F32\",\"dtype\":\"F32\"}                                    | x.dtype        | twice",
        "{\"dtype\":\"F32\",\"color\":1}                                          | x.color        | expected dtype",
        "{\"dtype\":\"FP32\",\"shape\":[1],\"data_offsets\":[0,4]}                | x.dtype        | 'FP32'",
        "{\"dtype\":32,\"shape\":[1],\"data_offsets\":[0,4]}                      | x.dtype        | NUMBER",
        "{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}                   | x.shape        | NUMBER",
        "{\"dtype\":\"F32\",\"shape\":[\"1\"],\"data_offsets\":[0,4]}             | x.shape        | STRING",
        "{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}                | x.shape        | -1",
        "{\"dtype\":\"F32\",\"shape\":[1.0],\"data_offsets\":[0,4]}               | x.shape        | 1.0",
        "{\"dtype\":\"F32\",\"shape\":[1e0],\"data_offsets\":[0,4]}               | x.shape        | 1e0",
        "{\"dtype\":\"F32\",\"shape\":[18446744073709551616]}                                  | x.shape | 18446744073709551616",
        "{\"dtype\":\"F32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,4]} | x.shape    | below 2^60",
        "{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,4]} | x.shape    | below 2^60",
        "{\"dtype\":\"F4\",\"shape\":[1],\"data_offsets\":[0,1]}                  | x.shape        | whole number",
        "{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}                 | x.data_offsets | need 8 bytes",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}                   | x.data_offsets | got 1",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,2,4]}               | x.data_offsets | got 3",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}                 | x.data_offsets | [4, 0]",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[1,5]}                 | x.data_offsets | <= 4",
        "{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[-4,0]}                | x.data_offsets | -4",
        "{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[4,4]}                 | x.data_offsets | gap",
        "[]                                                                       | x              | BEGIN_OBJECT",
    })
    void shouldRefuseWrongDescription(String description, String field, String word) throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("{\"x\":" + description + "}", floats(1)), field, word);
    }

    @Test
    void shouldRefuseTensorsThatOverlap() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("""
                {"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},
                 "y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", floats(1, 2, 3)), "y.data_offsets",
                "overlaps", "offset 8");
    }

    @Test
    void shouldRefuseTensorsThatShareTheirData() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("""
                {"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                 "y":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", floats(1)), "data_offsets", "overlaps");
    }

    @Test
    void shouldRefuseGapBetweenTensors() throws IOException {
        Refusal.expect(file, SafetensorsBytes.of("""
                {"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},
                 "y":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", floats(1, 2, 3)), "y.data_offsets", "gap");
    }

    @Test
    void shouldRefuseBytesAfterTensors() throws IOException {
        var failure = Refusal.expect(file, SafetensorsBytes.of("""
                {"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", floats(1, 2)), "data", "4 more bytes");
        assertEquals(Files.size(file) - 4, failure.offset());
    }

    @Test
    void shouldNameFileWhenItIsAbsentOrDirectoryOrUnknown() throws IOException {
        Refusal.expect(NoSuchFileException.class, () -> Weights.open(file), file.toString(), "no such file");
        Files.createDirectory(file);
        Refusal.expect(FileSystemException.class, () -> Weights.open(file), file.toString(), "directory");
        Refusal.expect(IllegalArgumentException.class, () -> Weights.open(directory.resolve("model.bin")),
                "model.bin", ".safetensors", ".onnx");
    }

    @Test
    void shouldNameFileWhenItIsNotReadable() throws IOException {
        Files.write(file, valid());
        assumeFalse(!file.toFile().setReadable(false) || Files.isReadable(file), "this user may read everything");
        Refusal.expect(AccessDeniedException.class, () -> Weights.open(file), file.toString(), "not readable");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{}                                               | weight_map   | at least one",
        "{\"weight_map\":{}}                              | weight_map   | at least one",
        "{\"weight_map\":[]}                              | weight_map   | BEGIN_ARRAY",
        "{\"weight_map\":{\"a\":1}}                       | weight_map.a | NUMBER",
        "{\"weight_map\":{\"a\":\"../x.safetensors\"}}    | weight_map.a | ../x.safetensors",
        "{\"weight_map\":{\"a\":\"/x.safetensors\"}}      | weight_map.a | /x.safetensors",
        "{\"weight_map\":{\"a\":\"x.bin\"}}               | weight_map.a | x.bin",
        "{\"weight_map\":{\"a\":\"model.safetensors\"}}   | weight_map.a | no such tensor",
        "{\"weight_map\":                                 | index        | not valid JSON",
    })
    void shouldRefuseWrongIndex(String json, String field, String word) throws IOException {
        Files.write(file, SafetensorsBytes.of("{}", NO_DATA));
        Refusal.expect(directory.resolve("model.safetensors.index.json"), json.getBytes(StandardCharsets.UTF_8), field,
                word);
    }

    @Test
    void shouldNameShardWhenItIsAbsent() throws IOException {
        Path index = directory.resolve("model.safetensors.index.json");
        Files.writeString(index, "{\"weight_map\":{\"a\":\"gone.safetensors\"}}");
        Refusal.expect(NoSuchFileException.class, () -> Weights.open(index), "gone.safetensors");
    }
}
