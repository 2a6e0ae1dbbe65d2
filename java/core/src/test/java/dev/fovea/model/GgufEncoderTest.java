package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufBytes;
import dev.fovea.weights.GgufWeights;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Encoders in one GGUF file give the vectors of {@code bench/gguf/reference.py}, which wrote the files. */
class GgufEncoderTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "gguf");
    private static final float TOLERANCE = 1e-5f;

    @TempDir
    private Path directory;

    private static JsonObject expected() throws IOException {
        return JsonParser.parseString(Files.readString(GOLDEN.resolve("expected.json"))).getAsJsonObject();
    }

    static Stream<Arguments> filesAndBackends() throws IOException {
        List<Arguments> all = new ArrayList<>();
        for (String file : expected().keySet()) {
            for (Backend backend : List.of(Backend.NATIVE, Backend.JAVA)) {
                all.add(Arguments.of(file, backend));
            }
        }
        assertEquals(2 * 11, all.size());
        return all.stream();
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("filesAndBackends")
    void shouldEncodeAsTheReferenceDoes(String file, Backend backend) throws IOException {
        var options = EncoderOptions.defaults()
                .withEngineOptions(EngineOptions.defaults().withBackend(backend).withThreads(1));
        try (TextEncoder encoder = TextEncoder.load(GOLDEN.resolve(file), options)) {
            JsonObject vectors = expected().getAsJsonObject(file);
            for (String text : vectors.keySet()) {
                JsonArray vector = vectors.getAsJsonArray(text);
                float[] wanted = new float[vector.size()];
                for (int i = 0; i < wanted.length; i++) {
                    wanted[i] = vector.get(i).getAsFloat();
                }
                assertArrayEquals(wanted, encoder.encode(text), TOLERANCE, text);
            }
            assertEquals(24, encoder.maxTokens());
            assertEquals(file, encoder.name());
        }
    }

    @Test
    void shouldShowWhatAFileIs() throws IOException {
        try (TextEncoder encoder = TextEncoder.load(GOLDEN.resolve("bert-q4_1.gguf").toString())) {
            var properties = encoder.properties();
            assertTrue(properties.get("file").endsWith("bert-q4_1.gguf"));
            assertEquals("bert, 1 layer of width 32 with 2 heads", properties.get("family"));
            assertEquals("bert-q4_1.gguf, 21 tensors", properties.get("weights"));
            assertEquals("bert of bert-q4_1.gguf, 39 tokens, 2 special tokens around a text", properties.get("tokenizer"));
            assertEquals("metadata of bert-q4_1.gguf", properties.get("settings"));
        }
    }

    @ParameterizedTest
    @CsvSource({"bert-q4_0.gguf, 0", "bert-q5_1.gguf, 0", "bert-q5_1.gguf, 1"})
    void shouldNameATensorWhoseScalesAreNotFinite(String golden, int scale) throws IOException {
        byte[] bytes = Files.readAllBytes(GOLDEN.resolve(golden));
        byte[] row;
        try (GgufWeights weights = GgufWeights.open(GOLDEN.resolve(golden))) {
            row = weights.weight("blk.0.ffn_up.weight").row(1).segment().toArray(ValueLayout.JAVA_BYTE);
        }
        int at = 0;
        while (!Arrays.equals(bytes, at, at + row.length, row, 0, row.length)) {
            at++;
        }
        bytes[at + 2 * scale] = 0;
        bytes[at + 2 * scale + 1] = 0x7c;
        Path file = Files.write(directory.resolve("model.gguf"), bytes);
        FormatException failure = assertThrows(FormatException.class, () -> TextEncoder.load(file).close());
        assertEquals("blk.0.ffn_up.weight", failure.field());
        assertTrue(failure.problem().contains("finite numbers") && failure.problem().contains("[1, "), failure.problem());
    }

    private static GgufBytes bert() {
        return new GgufBytes()
                .pair("bert.context_length", GgufBytes.UINT32, 8)
                .pair("bert.embedding_length", GgufBytes.UINT32, 2)
                .pair("bert.feed_forward_length", GgufBytes.UINT32, 2)
                .pair("bert.attention.head_count", GgufBytes.UINT32, 1)
                .pair("bert.attention.layer_norm_epsilon", GgufBytes.FLOAT32, 1e-12f);
    }

    private void refuse(GgufBytes content, String field, String... words) throws IOException {
        Path file = Files.write(directory.resolve("model.gguf"), content.toBytes());
        FormatException failure = assertThrows(FormatException.class, () -> TextEncoder.load(file).close());
        assertEquals(field, failure.field());
        assertEquals(file.toAbsolutePath(), failure.file());
        assertFalse(failure.getMessage().contains("\n"));
        for (String word : words) {
            assertTrue(failure.getMessage().contains(word), failure.getMessage() + " does not say " + word);
        }
    }

    @Test
    void shouldRefuseWhatItDoesNotDo() throws IOException {
        String architecture = "general.architecture";
        refuse(new GgufBytes(), architecture, "missing");
        refuse(new GgufBytes().pair(architecture, GgufBytes.STRING, "mamba"), architecture, "modern-bert", "'mamba'");
        refuse(new GgufBytes().pair(architecture, GgufBytes.STRING, "llama"), "llama.pooling_type", "language model");
        refuse(new GgufBytes().pair(architecture, GgufBytes.STRING, "bert"), "bert.attention.head_count", "missing");
        refuse(bert().pair(architecture, GgufBytes.STRING, "bert").pair("bert.attention.causal", GgufBytes.BOOL, (byte) 1),
                "bert.attention.causal", "expected false");
        refuse(bert().pair(architecture, GgufBytes.STRING, "bert").pair("split.count", GgufBytes.UINT32, 2),
                "split.count", "one file");
        refuse(bert().pair(architecture, GgufBytes.STRING, "bert").pair("bert.rope.scaling.type", GgufBytes.STRING, "yarn"),
                "bert.rope.scaling.type", "none");
        refuse(bert().pair(architecture, GgufBytes.STRING, "bert"), "token_embd.weight", "no such tensor", "bert");
        refuse(bert().pair(architecture, GgufBytes.STRING, "bert").pair("bert.block_count", GgufBytes.UINT32, Integer.MAX_VALUE)
                        .tensor("token_embd.weight", 0, new byte[16], 2, 2), "bert.block_count", "2147483647");
    }
}
