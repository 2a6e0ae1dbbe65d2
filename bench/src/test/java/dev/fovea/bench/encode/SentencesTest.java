package dev.fovea.bench.encode;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import java.util.IntSummaryStatistics;
import org.junit.jupiter.api.Test;

class SentencesTest {
    @Test
    void shouldBeAThousandDifferentSentences() {
        assertEquals(1000, Sentences.ALL.size());
        assertEquals(1000, new HashSet<>(Sentences.ALL).size());
    }

    @Test
    void shouldHaveTheMixedLengthsOfProse() {
        IntSummaryStatistics words = Sentences.ALL.stream().mapToInt(Sentences::words).summaryStatistics();

        assertTrue(words.getMin() >= 3, "shortest " + words.getMin());
        assertTrue(words.getMax() <= 125, "longest " + words.getMax());
        assertEquals(19, words.getAverage(), 2);
    }

    @Test
    void shouldEachBeginAndEndAsASentence() {
        for (String sentence : Sentences.ALL) {
            assertTrue(sentence.matches("[\"'(]?[A-Z].*[.!?][\"')]*"), sentence);
        }
    }

    @Test
    void shouldFitTheModel() throws Exception {
        for (int[] ids : Sentences.tokenized(Sentences.ALL.size())) {
            assertTrue(ids.length >= 5 && ids.length <= 256, ids.length + " tokens");
        }
    }
}
