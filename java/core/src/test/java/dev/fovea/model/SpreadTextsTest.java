package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.CallListener;
import dev.fovea.EngineOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A long list of texts is shared among the threads of an engine, and comes out as each text alone. */
class SpreadTextsTest {
    private static final List<String> TEXTS = IntStream.range(0, 700)
            .mapToObj(i -> "w" + i % 45 + " w3".repeat(i % 17) + " ".repeat(16)).toList();

    @TempDir
    private Path directory;

    private final List<String> heard = new ArrayList<>();

    @BeforeEach
    void write() throws Exception {
        new TinyModel(1).write(directory);
    }

    private TextEncoder load(int threads, LengthPolicy policy) throws Exception {
        return TextEncoder.load(directory, EncoderOptions.defaults().withLengthPolicy(policy)
                .withEngineOptions(EngineOptions.defaults().withThreads(threads).withListener(new CallListener() {
                    @Override
                    public void encoded(String model, int sequences, long tokens, long queueNanos, long runNanos) {
                        heard.add(sequences + " texts, " + tokens + " tokens");
                    }

                    @Override
                    public void failed(String model, Throwable failure, long queueNanos, long runNanos) {
                        heard.add(failure.getMessage());
                    }
                })));
    }

    @Test
    void shouldGiveEachTextTheBitsOfItAlone() throws Exception {
        try (var encoder = load(3, LengthPolicy.CHUNK_MEAN)) {
            assertTrue(SpreadTexts.pays(encoder.engine(), TEXTS));
            List<TextEmbedding> all = encoder.embedAll(TEXTS);
            assertEquals(List.of("700 texts, " + all.stream().mapToInt(TextEmbedding::tokens).sum() + " tokens"), heard);
            for (int i = 0; i < TEXTS.size(); i++) {
                assertArrayEquals(encoder.encode(TEXTS.get(i)), all.get(i).vector(), TEXTS.get(i));
            }
        }
    }

    @Test
    void shouldTellOnceWhatIsWrongWithAText() throws Exception {
        try (var encoder = load(3, LengthPolicy.ERROR)) {
            List<String> texts = new ArrayList<>(TEXTS);
            texts.replaceAll(text -> text.substring(0, 3));
            IntStream.range(0, 40).forEach(i -> texts.add(" ".repeat(1000)));
            texts.set(300, "w1 " + "w2 ".repeat(100));
            var e = assertThrows(IllegalArgumentException.class, () -> encoder.embedAll(texts));
            assertTrue(e.getMessage().startsWith("texts[300] "), e.getMessage());
            assertEquals(List.of(e.getMessage()), heard);
            texts.set(300, null);
            assertEquals("texts[300]", assertThrows(NullPointerException.class, () -> encoder.embedAll(texts)).getMessage());
            texts.set(300, "w1");
            assertEquals(texts.size(), encoder.embedAll(texts).size());
        }
    }

    @Test
    void shouldFinishWhereTheCallerIsInterrupted() throws Exception {
        try (var encoder = load(2, LengthPolicy.TRUNCATE)) {
            Thread.currentThread().interrupt();
            assertEquals(700, encoder.embedAll(TEXTS).size());
            assertTrue(Thread.interrupted());
        }
    }

    @Test
    void shouldLeaveShortListsAndOneThreadAsTheyAre() throws Exception {
        try (var encoder = load(2, LengthPolicy.TRUNCATE); var alone = load(1, LengthPolicy.TRUNCATE)) {
            assertFalse(SpreadTexts.pays(encoder.engine(), TEXTS.subList(0, 60)));
            assertFalse(SpreadTexts.pays(alone.engine(), TEXTS));
        }
    }
}
