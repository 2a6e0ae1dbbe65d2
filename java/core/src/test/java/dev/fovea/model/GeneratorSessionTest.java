package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.model.generation.SchedulerOptions;
import dev.fovea.tensor.Layout;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Texts that go on, in this process and from a file. */
class GeneratorSessionTest {
    private static final SamplingOptions SAMPLING = SamplingOptions.sampling(1.5f, 7).withMaxTokens(10).withIgnoresEnd(true)
            .withLogProbabilities(true);

    @TempDir
    private Path directory;

    private Path model(String name) throws IOException {
        return name.equals("wide") ? WideDecoder.write(directory.resolve(name)) : SchedulerTest.model(name, directory);
    }

    private static GeneratorOptions options(Backend backend, Layout cache) {
        return GeneratorOptions.defaults().withWeights(WeightType.F32).withCache(cache).withContext(400)
                .withEngineOptions(EngineOptions.defaults().withThreads(1).withBackend(backend));
    }

    private static GeneratorOptions options() {
        return options(Backend.NATIVE, Layout.F32);
    }

    private static int[] text(int seed, int count) {
        return new Random(seed).ints(count, 0, 31).toArray();
    }

    private static int[] concat(int[]... parts) {
        return Arrays.stream(parts).flatMapToInt(IntStream::of).toArray();
    }

    private static void assertSame(GeneratedText expected, GeneratedText got) {
        assertArrayEquals(expected.tokens(), got.tokens());
        assertArrayEquals(expected.logProbabilities(), got.logProbabilities());
    }

    private static GeneratedText generate(GeneratorSession session, int... ids) {
        return session.generate(ids, SAMPLING, RequestOptions.defaults(), (_, _) -> true);
    }

    @Test
    void shouldGoOnBehindAllThatWasReadAndWritten() throws Exception {
        try (var model = TextGenerator.load(model("qwen3"), options()); var fresh = TextGenerator.load(model("qwen3"), options(),
                new SchedulerOptions(1, 256, 256, false, 0))) {
            GeneratorSession session = model.newSession();
            session.append(text(1, 140));
            GeneratedText first = generate(session, 3, 4);
            assertSame(fresh.generate(concat(text(1, 140), new int[] {3, 4}), SAMPLING), first);
            assertArrayEquals(concat(text(1, 140), new int[] {3, 4}, first.tokens()), session.tokens());
            long before = model.runs();
            GeneratedText second = generate(session, 5);
            assertEquals(10, model.runs() - before, "nothing is read again");
            assertSame(fresh.generate(Arrays.copyOf(session.tokens(), 153), SAMPLING), second);
            session.truncate(150);
            assertSame(fresh.generate(session.tokens(), SAMPLING), generate(session));
            var e = assertThrows(IllegalArgumentException.class, () -> session.truncate(161));
            assertTrue(e.getMessage().endsWith("0 to 160 tokens, which the session has, got 161"), e.getMessage());
            e = assertThrows(IllegalArgumentException.class, () -> session.append(new int[300]));
            assertTrue(e.getMessage().endsWith("got 460"), e.getMessage());
            assertEquals(160, session.tokens().length);
            assertThrows(UnsupportedOperationException.class, () -> session.append("text"));
            assertThrows(IllegalArgumentException.class, () -> generate(model.newSession()));
        }
    }

    @Test
    void shouldServeOneThreadAtATime() throws Exception {
        try (var model = TextGenerator.load(model("llama"), options())) {
            GeneratorSession session = model.newSession();
            String[] message = {""};
            session.generate(new int[] {3}, SAMPLING, RequestOptions.defaults(), (_, _) -> {
                message[0] = assertThrows(IllegalStateException.class, session::tokens).getMessage();
                return false;
            });
            assertEquals("the session is in use by another thread", message[0]);
            assertEquals(2, session.tokens().length);
        }
    }

    @ParameterizedTest
    @CsvSource({"NATIVE,F32,qwen3", "NATIVE,F16,gemma3", "JAVA,BF16,gpt2", "NATIVE,Q8_0,wide", "JAVA,Q8_0,wide"})
    void shouldGoOnFromAFileWithTheSameBits(Backend backend, Layout cache, String name) throws Exception {
        Path file = directory.resolve("saved.kv");
        Path path = model(name);
        GeneratorOptions options = options(backend, cache);
        if (name.equals("gpt2")) {
            options = options.withContext(0);
        }
        int size = name.equals("gpt2") ? 8 : 300;
        GeneratedText expected;
        int[] tokens;
        try (var model = TextGenerator.load(path, options)) {
            GeneratorSession session = model.newSession();
            session.append(text(1, size));
            session.save(file); // nothing of it was read before
            generate(session, 3);
            session.save(file);
            tokens = session.tokens();
            expected = generate(session, 9);
        }
        try (var model = TextGenerator.load(path, options)) {
            GeneratorSession session = model.restore(file);
            assertArrayEquals(tokens, session.tokens());
            long before = model.runs();
            GeneratedText got = generate(session, 9);
            assertEquals(10, model.runs() - before, "nothing is read again");
            assertSame(expected, got);
            try (var files = Files.list(directory)) {
                assertEquals(0, files.filter(other -> other.toString().endsWith(".part")).count());
            }
        }
    }

    @Test
    void shouldSayWhichFileCannotBeAndThatItsThreadWasInterrupted() throws Exception {
        try (var model = TextGenerator.load(model("llama"), options())) {
            GeneratorSession session = model.newSession();
            session.append(text(1, 20));
            Path nowhere = directory.resolve("nowhere");
            var missing = assertThrows(NoSuchFileException.class, () -> session.save(nowhere.resolve("saved.kv")));
            assertEquals(nowhere.toString(), missing.getFile());
            for (Executable action : List.<Executable>of(() -> session.save(directory), () -> model.restore(directory))) {
                assertEquals(directory + ": is a directory", assertThrows(FileSystemException.class, action).getMessage());
            }
            Thread.currentThread().interrupt();
            Path file = directory.resolve("interrupted.kv");
            assertThrows(IOException.class, () -> session.save(file));
            assertTrue(Thread.interrupted());
            assertFalse(Files.exists(file));
            session.save(file);
            assertEquals(20, model.restore(file).tokens().length);
        }
    }

    @Test
    void shouldSaveWhileOthersNeedTheRoom() throws Exception {
        Path path = model("llama");
        // 5 pages: two texts of 300 tokens do not fit.
        GeneratorOptions options = options().withConcurrency(2).withCacheTokens(640);
        try (var model = TextGenerator.load(path, options); var callers = Executors.newFixedThreadPool(2)) {
            var others = callers.submit(() -> {
                for (int i = 0; i < 20; i++) {
                    model.generate(text(100 + i, 250), SAMPLING);
                }
            });
            GeneratorSession session = model.newSession();
            session.append(text(1, 300));
            int saved = 0;
            for (int i = 0; i < 5; i++) {
                try {
                    session.save(directory.resolve("saved.kv"));
                    saved++;
                } catch (IllegalStateException e) {
                    assertTrue(e.getMessage().contains("leave no room to compute 300 tokens"), e.getMessage());
                }
            }
            others.get();
            session.save(directory.resolve("saved.kv"));
            assertArrayEquals(session.tokens(), model.restore(directory.resolve("saved.kv")).tokens());
            assertTrue(saved >= 0);
        }
    }

    @Test
    void shouldRefuseFilesOfOtherModels() throws Exception {
        Path file = directory.resolve("saved.kv");
        try (var model = TextGenerator.load(model("llama"), options())) {
            GeneratorSession session = model.newSession();
            var e = assertThrows(IllegalStateException.class, () -> session.save(file));
            assertEquals("the session has no tokens to save", e.getMessage());
            session.append(text(1, 20));
            session.save(file);
        }
        Path other = Files.createDirectories(directory.resolve("other"));
        Files.copy(model("llama").resolve("config.json"), other.resolve("config.json"));
        byte[] weights = Files.readAllBytes(model("llama").resolve("model.safetensors"));
        weights[weights.length - 2] ^= 1;
        Files.write(other.resolve("model.safetensors"), weights);
        refused(other, options(), file, "fingerprint");
        refused(model("llama"), options().withWeights(WeightType.BF16), file, "fingerprint");
        refused(model("llama"), options(Backend.NATIVE, Layout.F16), file, "page_bytes");
        refused(model("llama"), options().withContext(18), file, "tokens");
        Files.writeString(other.resolve("config.json"), Files.readString(other.resolve("config.json"))
                .replaceAll("\"rope_theta\": [\\d.]+", "\"rope_theta\": 777.0"));
        Files.write(other.resolve("model.safetensors"), Files.readAllBytes(model("llama").resolve("model.safetensors")));
        refused(other, options(), file, "fingerprint");
    }

    private static void refused(Path path, GeneratorOptions options, Path file, String field) throws IOException {
        try (var model = TextGenerator.load(path, options)) {
            assertEquals(field, assertThrows(FormatException.class, () -> model.restore(file)).field());
        }
    }

    /** One with the right digests, too. */
    @Test
    void shouldRefuseHostileBytes() throws Exception {
        Path file = directory.resolve("saved.kv");
        Path hostile = directory.resolve("hostile.kv");
        try (var model = TextGenerator.load(model("llama"), options())) {
            GeneratorSession session = model.newSession();
            session.append(text(1, 150));
            session.save(file);
            byte[] whole = Files.readAllBytes(file);
            var random = new Random(1);
            for (int i = 0; i < 400; i++) {
                byte[] bytes = switch (random.nextInt(3)) {
                    case 0 -> Arrays.copyOf(whole, random.nextInt(whole.length));
                    case 1 -> Arrays.copyOf(whole, whole.length + 1 + random.nextInt(100));
                    default -> whole.clone();
                };
                if (bytes.length == whole.length) {
                    int at = random.nextBoolean() ? random.nextInt(64) : random.nextInt(bytes.length);
                    bytes[at] ^= (byte) (1 << random.nextInt(8));
                }
                Files.write(hostile, bytes);
                assertThrows(FormatException.class, () -> model.restore(hostile));
            }
            for (int value : new int[] {Float.floatToIntBits(Float.NaN), Float.floatToIntBits(Float.NEGATIVE_INFINITY)}) {
                Files.write(hostile, withDigests(whole, value));
                var e = assertThrows(FormatException.class, () -> model.restore(hostile));
                assertTrue(e.getMessage().contains("page 0: keys and values must be finite"), e.getMessage());
            }
            byte[] ids = whole.clone();
            ByteBuffer.wrap(ids).order(ByteOrder.LITTLE_ENDIAN).putInt(56 + 4, 31);
            Files.write(hostile, ids);
            var e = assertThrows(FormatException.class, () -> model.restore(hostile));
            assertTrue(e.getMessage().contains("ids below the vocabulary 31, got 31"), e.getMessage());
            assertFalse(model.restore(file).tokens().length < 150);
        }
    }

    /** With another first key, and all digests made anew. */
    private static byte[] withDigests(byte[] whole, int key) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(whole.clone()).order(ByteOrder.LITTLE_ENDIAN);
        int pageBytes = (int) bytes.getLong(16);
        int at = 56 + 4 * bytes.getInt(12);
        bytes.putInt(at + 32, key);
        var sha = MessageDigest.getInstance("SHA-256");
        byte[] digest = Arrays.copyOfRange(bytes.array(), at, at + 32);
        for (at += 32; at < whole.length; at += 32) {
            sha.update(digest);
            sha.update(bytes.array(), at, pageBytes);
            digest = sha.digest();
            at += pageBytes;
            bytes.put(at, digest);
        }
        return bytes.array();
    }

    @Test
    void shouldKnowAModelAgain() throws Exception {
        for (String name : List.of("gemma2", "phi3", "qwen2-window", "smollm3", "mistral")) {
            Path file = directory.resolve(name + ".kv");
            for (int round = 0; round < 2; round++) {
                try (var model = TextGenerator.load(model(name), options())) {
                    GeneratorSession session = round == 0 ? model.newSession() : model.restore(file);
                    session.append(new int[] {1, 2});
                    session.save(file);
                }
            }
        }
    }
}
