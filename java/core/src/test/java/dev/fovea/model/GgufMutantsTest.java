package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged GGUF files of whole models, of settings, vocabulary, template and weights: each is refused as documented, or reads,
 * answers a chat and ends, in bounded time and memory.
 */
class GgufMutantsTest {
    private static final int MUTANTS = Integer.getInteger("fovea.mutants", 400);
    private static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model");
    private static final long MOST_NANOS = TimeUnit.SECONDS.toNanos(60);
    private static final long[] NUMBERS = {0, 1, -1, 2, 127, 255, 1 << 16, Integer.MAX_VALUE, 1L << 32, 1L << 40, 1L << 62,
        Long.MAX_VALUE, Long.MIN_VALUE, Float.floatToIntBits(Float.NaN), Float.floatToIntBits(Float.POSITIVE_INFINITY),
        Float.floatToIntBits(-1e30f), Float.floatToIntBits(1e-40f)};
    private static final String TEMPLATE = "{% for message in messages %}<|im_start|>{{ message['role'] }} {{ message.content | trim }}"
            + "{% if loop.last %}!{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}{% set x = 3 * 2 %}<|im_start|>"
            + "{% endif %}";
    /** What a template may be made to say instead. */
    private static final List<String> HOSTILE = List.of("{% for i in range(99999999) %}aaaa{% endfor %}", "{{ 'a' * 99999999 }}",
            "{{ messages.__class__ }}", "{% include 'x' %}", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            "{% set x = [1] %}{% for i in x %}{% set _ = x.append(1) %}{% endfor %}", "{{ ''.getClass() }}", "{% if", "{{ 1 / 0 }}");

    @TempDir
    private Path directory;

    private List<byte[]> valid() throws IOException {
        Path tiny = TinyGenerator.write(directory.resolve("tiny"), 1);
        Path tokenizer = tiny.resolve("tokenizer.json");
        Files.writeString(tokenizer, Files.readString(tokenizer).replace("\"use_regex\": false", "\"use_regex\": true"));
        Files.writeString(tiny.resolve("tokenizer_config.json"), "{\"chat_template\": \"" + TEMPLATE + "\"}");
        List<byte[]> files = new ArrayList<>();
        for (GgufFileType type : List.of(GgufFileType.F32, GgufFileType.Q8_0)) {
            Path file = directory.resolve("valid.gguf");
            GgufConversion.convert(tiny, file, type, (_, _) -> { });
            files.add(Files.readAllBytes(file));
        }
        for (String name : List.of("decoder/gguf/gemma3.gguf", "decoder/gguf/phi3-long.gguf", "decoder/gguf/llama-yarn.gguf",
                "decoder/gguf/gpt2.gguf", "translator/gguf/t5.gguf")) {
            files.add(Files.readAllBytes(GOLDEN.resolve(name)));
        }
        return files;
    }

    @Test
    void shouldRefuseOrReadEachMutant() throws IOException {
        List<byte[]> valid = valid();
        long seed = Long.getLong("fovea.mutants.seed", 1);
        int read = 0;
        try (Engine engine = Engine.create(EngineOptions.defaults().withThreads(1))) {
            GeneratorOptions options = GeneratorOptions.defaults().withEngine(engine).withContext(24).withConcurrency(1);
            for (int i = 0; i < MUTANTS; i++) {
                var random = new Random(seed + i);
                byte[] mutant = mutant(valid, i % 2 == 0 ? 0 : random.nextInt(valid.size()), random);
                Path file = Files.write(directory.resolve("mutant" + i + ".gguf"), mutant);
                long begin = System.nanoTime();
                try {
                    read += reads(file, options) ? 1 : 0;
                } catch (Throwable e) {
                    fail("mutant " + i + " of seed " + seed, e);
                }
                long nanos = System.nanoTime() - begin;
                assertTrue(nanos < MOST_NANOS, "mutant " + i + " of seed " + seed + " took " + nanos / 1_000_000 + " ms");
                Files.delete(file);
            }
        }
        assertTrue(read > MUTANTS / 50, "only " + read + " are read");
    }

    /** Whether it is read; what is not refused writes. */
    private static boolean reads(Path file, GeneratorOptions options) throws IOException {
        try (TextGenerator model = TextGenerator.load(file, options)) {
            var greedy = SamplingOptions.greedy().withMaxTokens(2);
            try {
                model.generate(new int[] {1, 2}, greedy);
                model.chat(List.of(ChatMessage.user("Hi")), greedy);
            } catch (ArithmeticException e) {
                assertTrue(e.getMessage().contains("logits") || e.getMessage().contains("no token"), e.getMessage());
            } catch (IllegalArgumentException | UnsupportedOperationException refused) {
                assertTrue(refused.getMessage() != null, "no message");
            }
            return true;
        } catch (IllegalArgumentException context) {
            assertTrue(context.getMessage().contains("expected"), context.getMessage());
        } catch (IOException refused) {
            assertTrue(refused.getMessage().contains(file.getFileName().toString()), refused.getMessage());
        }
        return false;
    }

    /** One to three damages, most of them in front of the weights. */
    private static byte[] mutant(List<byte[]> valid, int which, Random random) {
        byte[] file = valid.get(which).clone();
        for (int damages = 1 + random.nextInt(3); damages > 0; damages--) {
            int reach = random.nextInt(8) == 0 ? file.length : Math.min(file.length, 14_000);
            int at = random.nextInt(Math.max(1, reach - 8));
            ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
            switch (random.nextInt(8)) {
                case 0, 1 -> file[at] ^= (byte) (1 << random.nextInt(Byte.SIZE));
                case 2 -> bytes.putLong(at, NUMBERS[random.nextInt(NUMBERS.length)]);
                case 3 -> bytes.putInt(at, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
                case 4 -> { // what stands elsewhere
                    int length = 1 + random.nextInt(64);
                    int from = random.nextInt(reach);
                    System.arraycopy(file, from, file, at, Math.min(length, file.length - Math.max(from, at)));
                }
                case 5 -> file = spliced(file, at, random.nextInt(40), random.nextInt(3) == 0 ? new byte[random.nextInt(40)] : new byte[0]);
                case 6 -> file = random.nextInt(4) == 0 ? Arrays.copyOf(file, Math.max(9, random.nextInt(file.length)))
                        : value(file, random);
                default -> file = template(file, random);
            }
        }
        return file;
    }

    private static byte[] spliced(byte[] file, int at, int length, byte[] instead) {
        int end = Math.min(file.length, at + length);
        byte[] all = Arrays.copyOf(file, file.length - (end - at) + instead.length);
        System.arraycopy(instead, 0, all, at, instead.length);
        System.arraycopy(file, end, all, at + instead.length, file.length - end);
        return all.length < 9 ? file : all;
    }

    /** Another value of a number among the settings. */
    private static byte[] value(byte[] file, Random random) {
        List<String> keys = List.of("block_count", "head_count", "context_length", "embedding_length", "rope.freq_base", "epsilon",
                "rope.dimension_count", "bos_token_id", "eos_token_id", "alignment", "vocab_size", "head_count_kv",
                "feed_forward_length", "key_length", "value_length", "scaling.factor", "softcapping", "sliding_window");
        int at = find(file, keys.get(random.nextInt(keys.size())));
        if (at >= 0 && at + 8 < file.length) {
            ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(at + 4, (int) NUMBERS[random.nextInt(NUMBERS.length)]);
        }
        return file;
    }

    /** Another template, of another length. */
    private static byte[] template(byte[] file, Random random) {
        int at = find(file, "tokenizer.chat_template");
        if (at < 0) {
            return file;
        }
        ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        if (at + 12 > file.length || bytes.getLong(at + 4) != TEMPLATE.length()) {
            return file;
        }
        byte[] hostile = HOSTILE.get(random.nextInt(HOSTILE.size())).getBytes(StandardCharsets.UTF_8);
        // As long as the one that is there: what stands behind keeps its place.
        byte[] padded = Arrays.copyOf(hostile, TEMPLATE.length());
        Arrays.fill(padded, hostile.length, padded.length, (byte) ' ');
        return spliced(file, at + 12, padded.length, padded);
    }

    /** Where a text ends; negative if it is not there. */
    private static int find(byte[] file, String text) {
        byte[] wanted = text.getBytes(StandardCharsets.US_ASCII);
        for (int at = 0; at + wanted.length <= Math.min(file.length, 14_000); at++) {
            if (Arrays.equals(file, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at + wanted.length;
            }
        }
        return -1;
    }
}
