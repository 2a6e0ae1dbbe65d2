package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Alternative;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a language model attends to, and what else it considered. */
class InsightTest {
    @TempDir
    private Path directory;

    private TextGenerator load() throws IOException {
        return TextGenerator.load(TinyGenerator.write(directory, 1), GeneratorOptions.defaults().withContext(64)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)));
    }

    @Test
    void shouldShowWhatAPromptAttendsTo() throws IOException {
        try (var model = load()) {
            AttentionPattern pattern = model.explain("a é.");
            assertEquals(List.of("a", " ", "\uFFFD", "\uFFFD", "."), pattern.queryTokens());
            assertEquals("pattern of 1 layer, 2 heads, 5 queries, 5 keys", pattern.toString());
            for (int head = 0; head < 2; head++) {
                for (int query = 0; query < 5; query++) {
                    double sum = 0;
                    for (int key = 0; key < 5; key++) {
                        sum += pattern.at(0, head, query, key);
                        assertTrue(key <= query || pattern.at(0, head, query, key) == 0, "a later token is not seen");
                    }
                    assertEquals(1, sum, 1e-5);
                }
            }
            assertEquals(List.of("3", "9"), model.explain(new int[] {3, 9}).keyTokens());
            var e = assertThrows(IllegalArgumentException.class, () -> model.explain("a".repeat(65)));
            assertTrue(e.getMessage().endsWith("got 65"), e.getMessage());
        }
    }

    @Test
    void shouldShowWhatElseItConsidered() throws IOException {
        try (var model = load()) {
            var options = SamplingOptions.greedy().withMaxTokens(6).withLogProbabilities(true);
            GeneratedText result = model.generate("go on", options.withAlternatives(4));
            assertEquals(result.tokens().length, result.alternatives().size());
            for (int i = 0; i < result.tokens().length; i++) {
                List<Alternative> likeliest = result.alternatives().get(i);
                assertEquals(4, likeliest.size());
                assertEquals(new Alternative(result.tokens()[i], result.logProbabilities()[i]), likeliest.getFirst());
                for (int k = 1; k < 4; k++) {
                    assertTrue(likeliest.get(k).logProbability() <= likeliest.get(k - 1).logProbability());
                }
            }
            // By the logits as they came: a format changes what is written, not what was considered.
            var forced = options.withAlternatives(64).withFormat(OutputFormat.choice("hello"));
            GeneratedText other = model.generate("go on", forced);
            assertEquals(result.alternatives().getFirst(), other.alternatives().getFirst().subList(0, 4));
            assertEquals(List.of(), model.generate("go on", options).alternatives());
            var e = assertThrows(IllegalArgumentException.class, () -> options.withAlternatives(65));
            assertEquals("alternatives must be 0 to 64, got 65", e.getMessage());
        }
    }
}
