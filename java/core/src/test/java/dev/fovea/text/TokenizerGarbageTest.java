package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Ids written into a caller's segment. */
class TokenizerGarbageTest {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final String TEXT = "Der naïve Test, and now the unaffable 世界 👍 [SEP] </s> in 2024: e\u0301 the.  ".repeat(20);

    @TempDir
    private Path directory;

    private Tokenizer load(String json) throws IOException {
        return Tokenizer.load(Files.writeString(directory.resolve("tokenizer.json"), json), false);
    }

    @ParameterizedTest
    @MethodSource("dev.fovea.text.TokenizerKindsTest#kinds")
    void shouldMakeNoGarbageOnceWarm(String json) throws IOException {
        assertEquals(0, garbage(json, 100));
    }

    @ParameterizedTest
    @MethodSource
    void shouldMakeNoneWhateverTheParts(String json) throws IOException {
        assertEquals(0, garbage(json, 10), json);
    }

    static Stream<String> shouldMakeNoneWhateverTheParts() {
        Random random = new Random(1);
        return Stream.of(
                ComponentJson.NORMALIZERS.stream().map(part -> tokenizer(part, "null", ComponentJson.words())),
                ComponentJson.PRE_TOKENIZERS.stream().map(part -> tokenizer("null", part, ComponentJson.words())),
                ComponentJson.PATTERNS.stream().map(pattern -> tokenizer("null",
                        ComponentJson.split(pattern, "Isolated", false), ComponentJson.words())),
                Stream.generate(() -> tokenizer("null", "null", ComponentJson.pairs(random))).limit(12),
                Stream.generate(() -> tokenizer("null", "null", ComponentJson.pieces(random))).limit(4)).flatMap(part -> part);
    }

    private static String tokenizer(String normalizer, String preTokenizer, String model) {
        return ComponentJson.tokenizer(normalizer, preTokenizer, model, List.of());
    }

    /** The least that so many calls in a row allocate, in bytes: what the JIT allocates meanwhile is not the tokenizer's. */
    private long garbage(String json, int calls) throws IOException {
        try (Tokenizer tokenizer = load(json); Arena arena = Arena.ofConfined()) {
            MemorySegment ids = arena.allocate(100_000);
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 20 && least > 0; round++) {
                long before = THREADS.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < calls; i++) {
                    tokenizer.encode(TEXT, ids);
                }
                least = Math.min(least, THREADS.getCurrentThreadAllocatedBytes() - before);
            }
            return least;
        }
    }

    @Test
    void shouldWriteAsManyIdsAsThereIsRoomFor() throws IOException {
        try (Tokenizer tokenizer = load(TokenizerKindsTest.words()); Arena arena = Arena.ofConfined()) {
            int[] all = tokenizer.encode(TEXT);
            MemorySegment ids = arena.allocate(4L * all.length + 3);
            assertEquals(all.length, tokenizer.encode(new StringBuilder(TEXT), ids));
            assertArrayEquals(all, ids.asSlice(0, 4L * all.length).toArray(ValueLayout.JAVA_INT));
            MemorySegment odd = ids.asSlice(1, 14).fill((byte) 0x55);
            assertEquals(all.length, tokenizer.encode(TEXT, odd));
            assertArrayEquals(Arrays.copyOf(all, 3), odd.asSlice(0, 12).toArray(ValueLayout.JAVA_INT_UNALIGNED));
            assertEquals(0x5555, odd.get(ValueLayout.JAVA_SHORT_UNALIGNED, 12));
            assertEquals(all.length, tokenizer.encode(TEXT, MemorySegment.NULL));
            assertThrows(NullPointerException.class, () -> tokenizer.encode(TEXT, null));
        }
    }

    @Test
    void shouldFailWhenTheSegmentIsClosedAndStayUsable() throws IOException {
        try (Tokenizer tokenizer = load(TokenizerKindsTest.words())) {
            MemorySegment closed;
            try (Arena arena = Arena.ofConfined()) {
                closed = arena.allocate(400);
            }
            assertThrows(IllegalStateException.class, () -> tokenizer.encode(TEXT, closed));
            assertArrayEquals(new int[] {4, 5}, tokenizer.encode("unaffable"));
        }
    }
}
