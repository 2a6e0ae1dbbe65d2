package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong ends in the documented exception, names the values, and leaves everything usable. */
class MisuseTest {
    private static final String TEXT = TinyModel.text(1, 2, 3);

    @TempDir
    private Path directory;

    private TextEncoder encoder;
    private EncoderSession session;
    private float[] expected;

    @BeforeEach
    void load() throws Exception {
        new TinyModel(1).write(directory);
        encoder = TextEncoder.load(directory);
        session = encoder.newSession();
        expected = encoder.encode(TEXT);
    }

    @AfterEach
    void close() {
        session.close();
        encoder.close();
    }

    // Encoder

    @Test
    void shouldRefuseNullTexts() {
        throwsNaming(NullPointerException.class, () -> encoder.encode(null), "text");
        throwsNaming(NullPointerException.class, () -> encoder.encodeAll(null), "texts");
        throwsNaming(NullPointerException.class, () -> encoder.encodeAll(Arrays.asList("w1", null)), "texts[1]");
        throwsNaming(NullPointerException.class, () -> TextEncoder.load(directory, null), "options");
        assertEquals("directory", refusedNull(() -> TextEncoder.load((Path) null)));
        assertEquals("nameOrDirectory", refusedNull(() -> TextEncoder.load((String) null)));
        assertArrayEquals(expected, encoder.encode(TEXT));
    }

    @Test
    void shouldRefuseCallsOnceClosed() {
        encoder.close();
        encoder.close();
        throwsNaming(IllegalStateException.class, () -> encoder.encode(TEXT), "closed");
        throwsNaming(IllegalStateException.class, () -> encoder.encodeAll(List.of(TEXT)), "closed");
        throwsNaming(IllegalStateException.class, () -> encoder.newSession(), "closed");
        throwsNaming(IllegalStateException.class, () -> encode(ids(1), offsets(0, 3), out(1)), "closed");
        throwsNaming(IllegalStateException.class, () -> encoder.tokenizer().encode(TEXT), "closed");
    }

    @Test
    void shouldNameBothNumbersOfATextThatIsTooLong() throws Exception {
        var options = EncoderOptions.defaults().withLengthPolicy(LengthPolicy.ERROR);
        try (var strict = TextEncoder.load(directory, options)) {
            String atTheLimit = TinyModel.text(new int[18]);
            String longer = TinyModel.text(new int[19]);
            assertArrayEquals(encoder.encode(atTheLimit), strict.encode(atTheLimit));
            throwsNaming(IllegalArgumentException.class, () -> strict.encode(longer), "the text has 21 tokens", "20");
            throwsNaming(IllegalArgumentException.class,
                    () -> strict.encodeAll(List.of(atTheLimit, longer)), "texts[1] has 21 tokens", "20");
        }
    }

    @ParameterizedTest
    @EnumSource(LengthPolicy.class)
    void shouldNameTheTextThatIsTooLongToTokenize(LengthPolicy policy) throws Exception {
        String longer = "x".repeat(Tokenizer.MAX_CHARS + 1);
        try (var other = TextEncoder.load(directory, EncoderOptions.defaults().withLengthPolicy(policy))) {
            throwsNaming(IllegalArgumentException.class, () -> other.encode(longer), "the text has 8388609", "8388608");
            throwsNaming(IllegalArgumentException.class,
                    () -> other.encodeAll(List.of("w1", longer)), "texts[1] has 8388609 chars", "8388608");
            assertArrayEquals(expected, other.encode(TEXT));
        }
    }

    @Test
    void shouldEncodeLoneSurrogatesAndOtherOddities() {
        for (String text : new String[] {"\ud83d", "w1 \udc00 w2", "\u0000", "\uffff", " "}) {
            assertEquals(TinyModel.HIDDEN, encoder.encode(text).length);
        }
    }

    @Test
    void shouldRefuseAnEngineThatIsClosed() throws Exception {
        Engine engine = Engine.create();
        var options = EncoderOptions.defaults().withEngine(engine);
        engine.close();
        assertThrows(IllegalStateException.class, () -> TextEncoder.load(directory, options));
    }

    @Test
    void shouldRefuseCallsOnceItsEngineIsClosed() throws Exception {
        Engine engine = Engine.create();
        try (var other = TextEncoder.load(directory, EncoderOptions.defaults().withEngine(engine))) {
            other.encode(TEXT);
            engine.close();
            assertThrows(IllegalStateException.class, () -> other.encode(TEXT));
        }
    }

    @Test
    void shouldRefuseAnIsaThatDoesNotExist() {
        var options = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withIsa("mmx"));
        throwsNaming(IllegalArgumentException.class, () -> TextEncoder.load(directory, options), "mmx");
    }

    // Session

    @Test
    void shouldRefuseAClosedSession() {
        session.close();
        session.close();
        throwsNaming(IllegalStateException.class, () -> encode(ids(1), offsets(0, 3), out(1)), "closed");
        assertArrayEquals(expected, encoder.encode(TEXT));
    }

    @Test
    void shouldRefuseNullSegments() {
        assertEquals("tokenIds", refusedNull(() -> encode(null, offsets(0, 3), out(1))));
        assertEquals("offsets", refusedNull(() -> encode(ids(1), null, out(1))));
        assertEquals("offsets", refusedNull(() -> session.encode(1, ids(1), null, out(1))));
        assertEquals("out", refusedNull(() -> encode(ids(1), offsets(0, 3), null)));
        assertStillWorks();
    }

    @Test
    void shouldRefuseOffsetsThatDoNotFit() {
        refuses(ids(1), offsets(), out(1), "offsets", "0 bytes");
        refuses(ids(1), offsets(1, 3), out(1), "offsets must begin with 0", "got 1");
        refuses(ids(1), offsets(0, 2, 1, 3), out(3), "offsets[1] = 2", "offsets[2] = 1");
        refuses(ids(1), offsets(0, -1, 3), out(2), "offsets[0] = 0", "offsets[1] = -1");
        refuses(ids(1), offsets(0, 4, 3), out(2), "offsets[1] = 4", "offsets[2] = 3");
        refuses(ids(1), offsets(0, 4), out(1), "offsets[1] is 4", "3 tokens");
        refuses(ids(1), offsets(0, -3), out(1), "offsets[1] is -3");
        refuses(ids(1), offsets(0, Integer.MAX_VALUE), out(1), "offsets[1] is 2147483647");
        refuses(ids(1), offsets(0, 3), out(1).asSlice(0, 131), "out needs 132 bytes", "got 131");
        refuses(ids(1), offsets(0, 3), out(1).asReadOnly(), "read-only");
        assertThrows(IllegalArgumentException.class, () -> session.encode(-1, ids(1), offsets(0, 3), out(1)));
        assertThrows(IllegalArgumentException.class, () -> session.encode(2, ids(1), offsets(0, 3), out(2)));
        assertThrows(IllegalArgumentException.class,
                () -> session.encode(Integer.MAX_VALUE, ids(1), offsets(0, 3), out(2)));
    }

    @Test
    void shouldRefuseIdsOutsideTheVocabulary() {
        for (int id : new int[] {-1, TinyModel.VOCABULARY, Integer.MAX_VALUE, Integer.MIN_VALUE}) {
            refuses(MemorySegment.ofArray(new int[] {2, id, 3}), offsets(0, 3), out(1), "token id " + id + " at 1", "vocabulary of 50");
        }
    }

    @Test
    void shouldRefuseASequenceThatIsTooLong() {
        MemorySegment ids = MemorySegment.ofArray(new int[24]);
        refuses(ids, offsets(0, 3, 24), out(2), "sequence 1 has 21 tokens", "20");
    }

    @Test
    void shouldNotWriteTheOutputOfARefusedBatch() {
        MemorySegment out = out(2);
        out.fill((byte) 7);
        refuses(MemorySegment.ofArray(new int[] {2, 5, 3, 2, 99, 3}), offsets(0, 3, 6), out, "99");
        for (long i = 0; i < out.byteSize(); i++) {
            assertEquals(7, out.get(ValueLayout.JAVA_BYTE, i));
        }
    }

    @Test
    void shouldRefuseSegmentsOfAClosedArena() {
        MemorySegment dead;
        try (Arena arena = Arena.ofConfined()) {
            dead = arena.allocate(4096, 64);
        }
        assertThrows(IllegalStateException.class, () -> encode(dead, offsets(0, 3), out(1)));
        assertThrows(IllegalStateException.class, () -> session.encode(1, ids(1), dead, out(1)));
        assertThrows(IllegalStateException.class, () -> encode(ids(1), offsets(0, 3), dead));
        assertStillWorks();
    }

    @Test
    void shouldRefuseSegmentsOfAnotherThread() throws Exception {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment foreign = arena.allocate(4096, 64);
            Throwable[] thrown = new Throwable[1];
            Thread other = Thread.ofPlatform().start(() -> thrown[0] =
                    assertThrows(RuntimeException.class, () -> encode(foreign, offsets(0, 3), out(1))));
            other.join();
            assertEquals(WrongThreadException.class, thrown[0].getClass());
        }
        assertStillWorks();
    }

    @Test
    void shouldTakeSegmentsOfAnyKindAndAlignment() {
        int[] ids = TinyModel.ids(1, 2, 3);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment memory = arena.allocate(1024, 64);
            MemorySegment tokenIds = memory.asSlice(1, 20).copyFrom(MemorySegment.ofArray(ids));
            MemorySegment offsets = MemorySegment.ofArray(new byte[9]).asSlice(1).copyFrom(offsets(0, 5));
            MemorySegment out = memory.asSlice(511, 132);
            session.encode(tokenIds, offsets, out);
            assertArrayEquals(expected, out.toArray(ValueLayout.JAVA_FLOAT_UNALIGNED));
        }
    }

    @Test
    void shouldGiveZerosForEmptySequencesAndTakeEmptyBatches() {
        encode(MemorySegment.ofArray(new int[0]), offsets(0), out(0));
        MemorySegment out = out(3);
        out.fill((byte) 7);
        encode(ids(1), offsets(0, 0, 3, 3), out);
        float[] vectors = out.toArray(ValueLayout.JAVA_FLOAT);
        assertArrayEquals(new float[33], Arrays.copyOfRange(vectors, 0, 33));
        assertArrayEquals(encoder.encode("w1"), Arrays.copyOfRange(vectors, 33, 66));
        assertArrayEquals(new float[33], Arrays.copyOfRange(vectors, 66, 99));
        encode(MemorySegment.ofArray(new int[0]), offsets(0, 0), out);
        assertArrayEquals(new float[33], Arrays.copyOfRange(out.toArray(ValueLayout.JAVA_FLOAT), 0, 33));
    }

    // Directories

    @Test
    void shouldNameWhatIsNotThere() throws Exception {
        loadNaming(ModelNotFoundException.class, directory.resolve("absent"), "absent");
        throwsNaming(ModelNotFoundException.class, () -> TextEncoder.load("no-such-model"), "no-such-model",
                "all-minilm-l6-v2");
        throwsNaming(ModelNotFoundException.class, () -> TextEncoder.load("\0"), "all-minilm-l6-v2");
        throwsNaming(IllegalArgumentException.class, () -> TextEncoder.load(""), "got ''");
        for (String file : List.of("model.safetensors", "tokenizer.json", "config.json")) {
            Files.delete(directory.resolve(file));
            loadNaming(ModelNotFoundException.class, directory, file);
        }
    }

    @Test
    void shouldNameThePoolingConfigThatIsMissing() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        Files.delete(directory.resolve("1_Pooling/config.json"));
        loadNaming(ModelNotFoundException.class, directory, directory.toString(), "1_Pooling/config.json",
                "modules.json");
    }

    @Test
    void shouldNameTheWeightThatDoesNotFitTheConfig() throws Exception {
        TinyModel model = new TinyModel(1);
        model.config.addProperty("intermediate_size", 72);
        model.write(directory);
        loadNaming(FormatException.class, directory, "encoder.layer.0.intermediate.dense.weight", "[72, 33]", "[71, 33]");

        model = new TinyModel(1);
        model.config.addProperty("num_hidden_layers", 1_000_000_000);
        model.write(directory);
        loadNaming(FormatException.class, directory, "encoder.layer.2.attention.self.query.weight", "no such tensor");

        model = new TinyModel(1);
        model.weights.remove("encoder.layer.1.output.LayerNorm.bias");
        model.write(directory);
        loadNaming(FormatException.class, directory, "encoder.layer.1.output.LayerNorm.bias", "no such tensor");

        model = new TinyModel(1);
        model.prefix = "gpt.";
        model.write(directory);
        loadNaming(FormatException.class, directory, "embeddings.word_embeddings.weight");
    }

    @Test
    void shouldNameAVocabularyThatExceedsTheEmbeddings() throws Exception {
        TinyModel model = new TinyModel(1);
        model.config.addProperty("vocab_size", 40);
        model.write(directory);
        loadNaming(FormatException.class, directory, "tokenizer.json", "40", "49");
    }

    @Test
    void shouldRefuseALimitWithoutRoomForTokens() throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 1);
        loadNaming(FormatException.class, directory, "sentence_bert_config.json, max_seq_length", "2 special tokens",
                "got 1");
    }

    @Test
    void shouldRefuseDamagedFiles() throws Exception {
        byte[] weights = Files.readAllBytes(directory.resolve("model.safetensors"));
        Files.write(directory.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length / 2));
        loadNaming(FormatException.class, directory, "model.safetensors");
        new TinyModel(1).write(directory);
        Files.writeString(directory.resolve("tokenizer.json"), "{\"model\": 7}");
        loadNaming(IOException.class, directory, "tokenizer.json");
        new TinyModel(1).write(directory);
        Files.delete(directory.resolve("model.safetensors"));
        Files.writeString(directory.resolve("model.onnx"), "this is no model");
        loadNaming(FormatException.class, directory, "model.onnx");
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "model.safetensors", "model.onnx", "config.json", "tokenizer.json", "modules.json", "1_Pooling/config.json",
        "sentence_bert_config.json"
    })
    @EnabledOnOs({OS.LINUX, OS.MAC})
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldRefuseAPipeInPlaceOfAFile(String name) throws Exception {
        TinyModel.writeSentenceFiles(directory, "pooling_mode_cls_token", true, 12);
        if (name.equals("model.onnx")) {
            Files.delete(directory.resolve("model.safetensors"));
        }
        Path pipe = directory.resolve(name);
        Files.deleteIfExists(pipe);
        assertEquals(0, new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor());
        loadNaming(FileSystemException.class, directory, pipe + ": expected a file, got a pipe");
    }

    private static void loadNaming(Class<? extends Exception> type, Path directory, String... shown) {
        throwsNaming(type, () -> TextEncoder.load(directory), shown);
    }

    private static void throwsNaming(Class<? extends Exception> type, Executable call, String... shown) {
        Exception e = assertThrows(type, call);
        for (String value : shown) {
            assertTrue(String.valueOf(e.getMessage()).contains(value), e + " does not name " + value);
        }
    }

    private static String refusedNull(Executable call) {
        return assertThrows(NullPointerException.class, call).getMessage();
    }

    private void refuses(MemorySegment ids, MemorySegment offsets, MemorySegment out, String... shown) {
        throwsNaming(IllegalArgumentException.class, () -> encode(ids, offsets, out), shown);
        assertStillWorks();
    }

    private void assertStillWorks() {
        MemorySegment out = out(1);
        encode(MemorySegment.ofArray(TinyModel.ids(1, 2, 3)), offsets(0, 5), out);
        assertArrayEquals(expected, out.toArray(ValueLayout.JAVA_FLOAT));
    }

    private void encode(MemorySegment ids, MemorySegment offsets, MemorySegment out) {
        session.encode(ids, offsets, out);
    }

    private static MemorySegment ids(int... words) {
        return MemorySegment.ofArray(TinyModel.ids(words));
    }

    private static MemorySegment offsets(int... offsets) {
        return MemorySegment.ofArray(offsets);
    }

    private static MemorySegment out(int sequences) {
        return MemorySegment.ofArray(new float[sequences * TinyModel.HIDDEN]);
    }
}
