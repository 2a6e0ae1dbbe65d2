package dev.fovea.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.Reranker;
import dev.fovea.model.TextEncoder;
import dev.fovea.testing.ToyReranker;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On fewer passages than the example has; as many with {@code -Dfovea.soak.passages=10000}. */
@Tag("slow")
class LuceneExampleTest {
    private static final int PASSAGES = Integer.getInteger("fovea.soak.passages", 500);
    private static final String QUERY = "my car does not start when it is freezing";

    @Test
    void shouldFindWhatMeansTheSameInOtherWords(@TempDir Path directory) throws IOException {
        List<String> passages = LuceneExample.passages(PASSAGES);
        assertEquals(PASSAGES, new HashSet<>(passages).size());
        try (var encoder = TextEncoder.load("all-minilm-l6-v2");
                var reranker = Reranker.load(ToyReranker.write(directory))) {
            List<String> lines = run(passages, encoder, null);
            assertTrue(lines.getFirst().startsWith(PASSAGES + " passages indexed in "), lines::toString);
            assertEquals(7, lines.size());
            // No word of the query but those of grammar stands in it.
            assertTrue(lines.get(2).startsWith("The engine of a car will not turn over on frosty mornings"), lines::toString);
            List<String> ranked = run(passages, encoder, reranker);
            assertEquals(7, ranked.size());
            assertTrue(passages.containsAll(ranked.subList(2, 7)), ranked::toString);
        }
    }

    private static List<String> run(List<String> passages, TextEncoder encoder, Reranker reranker) throws IOException {
        var bytes = new ByteArrayOutputStream();
        LuceneExample.run(passages, QUERY, encoder, reranker, new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
