package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
    @TempDir
    private Path directory;

    private Tokenizer load(TokenizerJson json) throws IOException {
        return load(json, false);
    }

    private Tokenizer load(TokenizerJson json, boolean byLibrary) throws IOException {
        return Tokenizer.load(json.write(directory.resolve("tokenizer.json")), byLibrary);
    }

    @Test
    void shouldEncodeWholeTextWhateverTheFileSaysAboutLengths() throws IOException {
        try (Tokenizer tokenizer = load(new TokenizerJson())) {
            assertArrayEquals(new int[] {4, 5, 8, 8, 9, 1}, tokenizer.encode("Unaffable 世世! what"));
            assertEquals(List.of("un", "##affable", "世", "世", "!", "[UNK]"), tokenizer.tokens("Unaffable 世世! what"));
            assertArrayEquals(new int[0], tokenizer.encode(""));
            assertArrayEquals(new int[0], tokenizer.encode(" \n\t\u0000"));
            assertEquals(10_000, tokenizer.encode("un ".repeat(10_000)).length);
        }
    }

    @Test
    void shouldGiveTokensAroundText() throws IOException {
        try (Tokenizer tokenizer = load(new TokenizerJson())) {
            assertArrayEquals(new int[] {2}, tokenizer.prefix());
            assertArrayEquals(new int[] {3}, tokenizer.suffix());
            tokenizer.prefix()[0] = 9;
            assertArrayEquals(new int[] {2}, tokenizer.prefix());
            assertEquals(12, tokenizer.vocabularySize());
            assertEquals(List.of("[CLS]", "un", "##affable", "[SEP]"), tokenizer.inputTokens("unaffable"));
            assertEquals(List.of("[CLS]", "[SEP]"), tokenizer.inputTokens(""));
        }
        try (Tokenizer tokenizer = load(new TokenizerJson().set("post_processor", "null"))) {
            assertEquals(List.of("un"), tokenizer.inputTokens("un"));
            assertArrayEquals(new int[0], tokenizer.prefix());
            assertArrayEquals(new int[0], tokenizer.suffix());
        }
        try (Tokenizer tokenizer = load(new TokenizerJson().set("post_processor",
                "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",40],\"cls\":[\"[CLS]\",2]}"))) {
            assertArrayEquals(new int[] {2}, tokenizer.prefix());
            assertArrayEquals(new int[] {40}, tokenizer.suffix());
            assertEquals(41, tokenizer.vocabularySize());
        }
    }

    @Test
    void shouldFindAddedTokensInText() throws IOException {
        try (Tokenizer tokenizer = load(new TokenizerJson())) {
            assertArrayEquals(new int[] {4, 3, 2, 11, 4}, tokenizer.encode("un[SEP][CLS] <new>un"));
        }
    }

    @Test
    void shouldKnowTokensThatJsonEscapes() throws IOException {
        TokenizerJson json = new TokenizerJson().set("pre_tokenizer", "{\"type\":\"WhitespaceSplit\"}");
        try (Tokenizer tokenizer = load(json)) {
            assertArrayEquals(new int[] {10}, tokenizer.encode("\"\\"));
        }
    }

    @Test
    void shouldCountSurrogateWithoutPartnerAsReplacement() throws IOException {
        TokenizerJson json = new TokenizerJson().set("normalizer", "null")
                .set("model.vocab", "{\"[UNK]\":0,\"[CLS]\":2,\"[SEP]\":3,\"\uFFFD\":4,\"😀\":5,\"a\":6,\"##\uFFFD\":7}")
                .set("added_tokens", "[]");
        try (Tokenizer tokenizer = load(json)) {
            assertArrayEquals(new int[] {4, 5, 6, 7}, tokenizer.encode("\uD800 😀 a\uDC00"));
        }
    }

    @Test
    @Tag("slow")
    void shouldTakeTextOfMillionsOfChars() throws IOException {
        try (Tokenizer tokenizer = load(new TokenizerJson())) {
            assertArrayEquals(new int[] {1}, tokenizer.encode("x".repeat(5_000_000)));
            String tooLong = "x".repeat(Tokenizer.MAX_CHARS + 1);
            var failure = assertThrows(IllegalArgumentException.class, () -> tokenizer.encode(tooLong));
            assertTrue(failure.getMessage().contains("8388608") && failure.getMessage().contains("8388609"));
            assertThrows(NullPointerException.class, () -> tokenizer.encode(null));
        }
    }

    @Test
    void shouldFailWhenClosed() throws IOException {
        Tokenizer tokenizer = load(new TokenizerJson());
        tokenizer.close();
        tokenizer.close();
        for (var call : List.<Consumer<String>>of(tokenizer::encode, tokenizer::tokens)) {
            var failure = assertThrows(IllegalStateException.class, () -> call.accept("un"));
            assertTrue(failure.getMessage().contains("closed"), failure.getMessage());
        }
    }

    /** More threads than there is room kept for, each with a text of its own. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(60)
    void shouldAgreeWithItselfWhenManyThreadsEncode(boolean byLibrary) throws Exception {
        try (Tokenizer tokenizer = load(new TokenizerJson(), byLibrary);
                var threads = Executors.newFixedThreadPool(12)) {
            List<Future<?>> runs = IntStream.range(0, 12).<Future<?>>mapToObj(thread -> {
                String text = "Unaffable 世! [SEP] aff ".repeat(thread) + "un";
                int[] expected = tokenizer.encode(text);
                return threads.submit(() -> {
                    for (int i = 0; i < 500; i++) {
                        assertArrayEquals(expected, tokenizer.encode(text));
                    }
                });
            }).toList();
            for (Future<?> run : runs) {
                run.get();
            }
        }
    }

    /** The library's tokenizer is a bare pointer: freed under a call, it would take the process along. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    @Timeout(60)
    void shouldFinishOrRefuseCallsWhenAnotherThreadCloses(boolean byLibrary) throws Exception {
        for (int round = 0; round < 50; round++) {
            Tokenizer tokenizer = load(new TokenizerJson(), byLibrary);
            CountDownLatch started = new CountDownLatch(3);
            try (var threads = Executors.newFixedThreadPool(3)) {
                List<Future<?>> runs = IntStream.range(0, 3).<Future<?>>mapToObj(thread -> threads.submit(() -> {
                    started.countDown();
                    while (true) {
                        assertArrayEquals(new int[] {4, 5, 8}, tokenizer.encode("unaffable 世"));
                    }
                })).toList();
                started.await();
                tokenizer.close();
                for (Future<?> run : runs) {
                    Throwable end = assertThrows(ExecutionException.class, run::get).getCause();
                    assertTrue(end instanceof IllegalStateException, end.toString());
                }
            }
        }
    }
}
