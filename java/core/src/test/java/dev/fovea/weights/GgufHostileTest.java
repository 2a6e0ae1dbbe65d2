package dev.fovea.weights;

import static dev.fovea.weights.GgufBytes.ARRAY;
import static dev.fovea.weights.GgufBytes.BOOL;
import static dev.fovea.weights.GgufBytes.STRING;
import static dev.fovea.weights.GgufBytes.UINT32;
import static dev.fovea.weights.GgufBytes.bytes;
import static dev.fovea.weights.SafetensorsBytes.floats;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged and lying GGUF files: each must be refused, naming the file, the place and the values. */
class GgufHostileTest {
    private static final int F32 = 0;
    private static final int Q4_0 = 2;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("model.gguf");
    }

    private static byte[] valid() {
        return new GgufBytes()
                .pair("general.architecture", STRING, "bert")
                .pair("bert.block_count", UINT32, 2)
                .pair("flag", BOOL, (byte) 1)
                .pair("tokens", ARRAY, STRING, 2L, "a", "größe")
                .pair("types", ARRAY, UINT32, 2L, 1, 3)
                .tensor("a.weight", Q4_0, new byte[36], 32, 2)
                .tensor("a.bias", F32, floats(5, 6, 7, 8, 9, 10, 11, 12), 8)
                .toBytes();
    }

    private void refuse(GgufBytes content, String field, String... words) throws IOException {
        Refusal.expect(file, content.toBytes(), field, words);
    }

    @Test
    void shouldRefuseEachPrefixOfValidFile() throws IOException {
        Refusal.expectOfEachPrefix(file, valid());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void shouldRefuseOrReadEachBitFlip(long seed) throws IOException {
        Refusal.expectOrReadEachFlip(file, valid(), seed);
    }

    @Test
    void shouldRefuseOtherFilesAndVersions() throws IOException {
        byte[] ggml = valid();
        ggml[3] = 'L';
        Refusal.expect(file, ggml, "magic", "'GGUF'", "4747554c");
        refuse(new GgufBytes().version(1), "version", "expected 2 or 3", "got 1");
        refuse(new GgufBytes().version(4), "version", "got 4");
        refuse(new GgufBytes().version(-1), "version", "4294967295");
        refuse(new GgufBytes().version(3 << 24), "version", "big-endian");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 1L << 20, Long.MAX_VALUE, -1})
    void shouldRefuseCountsThatLie(long more) throws IOException {
        refuse(new GgufBytes().counts(more, 0), "tensor", "expected");
        refuse(new GgufBytes().counts(0, more), "metadata", "expected");
    }

    @Test
    void shouldRefuseTextsThatLie() throws IOException {
        refuse(new GgufBytes().pair("a", STRING, 500L, (byte) 1), "a", "at most", "got 500");
        refuse(new GgufBytes().pair("a", STRING, -1L), "a", "18446744073709551615");
        refuse(new GgufBytes().pair("a", ARRAY, STRING, 1L, Long.MAX_VALUE), "a", "9223372036854775807");
        refuse(new GgufBytes().pair("x".repeat(70_000), UINT32, 1), "metadata[0].key", "at most 65535 bytes", "70000");
        refuse(new GgufBytes().info("x".repeat(65), F32, 0, 1), "tensor[0].name", "at most 64 bytes", "65");
        byte[] key = "GGUF".getBytes(StandardCharsets.US_ASCII);
        Refusal.expect(file, bytes(key, 3, 0L, 1L, 2L, (short) 0xffff, UINT32, 1), "metadata[0].key", "UTF-8");
    }

    @Test
    void shouldRefuseArraysThatLie() throws IOException {
        refuse(new GgufBytes().pair("a", ARRAY, UINT32, 1L << 62), "a", "4611686018427387904");
        refuse(new GgufBytes().pair("a", ARRAY, UINT32, 200L, 1), "a", "at most", "got 200");
        refuse(new GgufBytes().pair("a", ARRAY, ARRAY, 1L, UINT32, 1L, 1), "a", "arrays");
        refuse(new GgufBytes().pair("a", ARRAY, 13, 0L), "a", "from 0 to 12", "13");
    }

    @Test
    void shouldRefuseValuesOfNoType() throws IOException {
        refuse(new GgufBytes().pair("a", 13, 0L), "a", "13");
        refuse(new GgufBytes().pair("a", -1, 0L), "a", "4294967295");
        refuse(new GgufBytes().pair("a", BOOL, (byte) 2), "a", "truth value", "2");
        refuse(new GgufBytes().pair("a", UINT32, 1).pair("a", UINT32, 1), "a", "twice");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -32, 24, 1 << 21})
    void shouldRefuseAlignmentThatIsNoPowerOfTwo(int alignment) throws IOException {
        refuse(new GgufBytes().pair("general.alignment", UINT32, alignment), "general.alignment", "got");
    }

    @Test
    void shouldRefuseAlignmentThatIsNoNumber() throws IOException {
        refuse(new GgufBytes().pair("general.alignment", STRING, "32"), "general.alignment", "whole number", "STRING");
    }

    @Test
    void shouldRefuseShapesThatLie() throws IOException {
        refuse(new GgufBytes().info("x", F32, 0, 1, 1, 1, 1, 1), "x.dimensions", "at most 4", "got 5");
        refuse(new GgufBytes().info("x", F32, 0, -1), "x.shape", "18446744073709551615");
        refuse(new GgufBytes().info("x", F32, 0, 1L << 32, 1L << 32), "x.shape", "addressed");
        refuse(new GgufBytes().info("x", F32, 0, 1L << 61), "x.shape", "addressed");
        refuse(new GgufBytes().info("x", F32, 0, 1L << 40), "x.shape", "4398046511104 bytes");
        refuse(new GgufBytes().info("x", Q4_0, 0, 48), "x.shape", "multiple of 32", "Q4_0", "48");
        refuse(new GgufBytes().info("x", 4, 0, 32), "x.type", "unknown type 4");
        refuse(new GgufBytes().info("x", -1, 0, 32), "x.type", "4294967295");
    }

    @Test
    void shouldRefuseDataThatIsNotThere() throws IOException {
        refuse(new GgufBytes().info("x", F32, 0, 8), "x", "end", "0 bytes of data");
        refuse(new GgufBytes().info("x", F32, -32, 8).data(new byte[32]), "x.offset", "18446744073709551584");
        refuse(new GgufBytes().info("x", F32, Long.MAX_VALUE - 31, 8).data(new byte[32]), "x.offset", "does not fit");
        refuse(new GgufBytes().info("x", F32, 32, 8).data(new byte[32]), "x", "ends at data offset 64");
    }

    @Test
    void shouldRefuseOverlapsAndGaps() throws IOException {
        byte[] data = new byte[96];
        refuse(new GgufBytes().info("x", F32, 0, 16).info("y", F32, 32, 16).data(data), "y.offset", "overlaps", "64");
        refuse(new GgufBytes().info("x", F32, 0, 8).info("y", F32, 64, 8).data(data), "y.offset", "gap", "32");
        refuse(new GgufBytes().info("x", F32, 4, 8).data(data), "x.offset", "multiple of 32", "got 4");
        refuse(new GgufBytes().info("x", F32, 32, 8).data(data), "x.offset", "gap");
        refuse(new GgufBytes().info("x", F32, 0, 8).data(data), "data", "64 more bytes");
        refuse(new GgufBytes().info("x", F32, 0, 8).info("x", F32, 32, 16).data(data), "x", "twice");
    }

    @Test
    void shouldNameValueThatIsNotWhatItMustBe() throws IOException {
        Files.write(file, valid());
        try (GgufWeights weights = GgufWeights.open(file)) {
            GgufMetadata metadata = weights.metadata();
            Refusal.expect(FormatException.class, () -> metadata.string("bert.block_count"), "bert.block_count", "UINT32");
            Refusal.expect(FormatException.class, () -> metadata.integer("tokens", 0), "tokens", "array of 2", "STRING");
            Refusal.expect(FormatException.class, () -> metadata.integer("bert.block_count", 3), "from 3", "got 2");
            Refusal.expect(FormatException.class, () -> metadata.integers("tokens"), "whole numbers", "STRING");
            Refusal.expect(FormatException.class, () -> metadata.strings("types"), "texts", "UINT32");
            Refusal.expect(FormatException.class, () -> metadata.strings("flag"), "an array", "BOOL");
            Refusal.expect(FormatException.class, () -> metadata.number("flag"), "floating-point", "BOOL");
            Refusal.expect(FormatException.class, () -> metadata.string("none"), "none", "missing");
            assertEquals(2, metadata.integer("bert.block_count", 0));
        }
    }
}
