package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.model.Reranker;
import dev.fovea.testing.ToyReranker;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.scoring.request.ScoringRequest;
import dev.langchain4j.model.scoring.request.ScoringRequestParameters;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Scores are those of the reranker, whoever asks and how. */
class FoveaScoringModelTest {
    private static final List<String> DOCUMENTS =
            IntStream.range(0, 40).mapToObj(i -> "w" + i % 28 + " w5".repeat(i % 9)).toList();

    @Test
    void shouldGiveTheScoresOfTheReranker(@TempDir Path directory) throws Exception {
        ToyReranker.write(directory.resolve("toy"));
        try (var reranker = Reranker.load(directory.resolve("toy"));
                var model = FoveaScoringModel.builder().model(directory.resolve("toy")).build();
                var same = FoveaScoringModel.builder().reranker(reranker).build()) {
            float[] alone = reranker.score("w1 w2", DOCUMENTS);
            List<Double> expected = IntStream.range(0, alone.length).mapToObj(i -> (double) alone[i]).toList();
            var scored = model.scoreAll(DOCUMENTS.stream().map(TextSegment::from).toList(), "w1 w2");
            assertEquals(expected, scored.content());
            assertTrue(expected.stream().distinct().count() > 30);
            assertTrue(scored.tokenUsage().inputTokenCount() > 40 * 6);
            assertEquals(expected.get(3), same.score(DOCUMENTS.get(3), "w1 w2").content());
            var request = ScoringRequest.builder().query("w1 w2").documents(DOCUMENTS);
            assertEquals(expected, model.scoreAsync(request.build()).join().scores());
            assertEquals("toy", model.scoreAsync(request.build()).join().modelName());
            var other = request.parameters(ScoringRequestParameters.builder().modelName("other").build()).build();
            assertInstanceOf(UnsupportedFeatureException.class,
                    assertThrows(CompletionException.class, () -> model.scoreAsync(other).join()).getCause());
        }
    }

    @Test
    void shouldSayThatAModelIsMissing() {
        assertEquals("expected a directory of a reranker, or a reranker, got neither",
                assertThrows(IllegalArgumentException.class, () -> FoveaScoringModel.builder().build()).getMessage());
    }
}
