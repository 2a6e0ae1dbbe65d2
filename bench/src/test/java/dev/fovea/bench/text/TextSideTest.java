package dev.fovea.bench.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.encode.Sentences;
import dev.fovea.bench.study.Verdict;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextSideTest {
    @ParameterizedTest
    @ValueSource(strings = {TextSide.FOVEA, TextSide.LANGCHAIN4J})
    void shouldAgreeOnVectors(String name) throws Exception {
        TextSide side = TextSide.load(name, 2);
        TextSide reference = TextSide.referenceOf(name);
        for (int words : new int[] {4, 80}) {
            for (String text : Texts.of(words, 4)) {
                Verdict.agreeByCosine(reference.encode(text), side.encode(text), MiniLm.DIMENSION, 0.9999);
            }
        }
    }

    @Test
    void shouldAgreeOnTokens() throws Exception {
        TextSide tokenizer = TextSide.load(TextSide.TOKENIZER, 1);
        TextSide reference = TextSide.referenceOf(TextSide.TOKENIZER);
        for (String text : Sentences.ALL.subList(0, 100)) {
            Verdict.agree(reference.encode(text), tokenizer.encode(text), 0);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {4, 12, 40, 80})
    void shouldMakeTextsOfTheGivenLength(int words) {
        List<String> texts = Texts.of(words, 8);

        assertEquals(8, texts.size());
        for (String text : texts) {
            int length = Sentences.words(text);
            assertTrue(length >= words && length <= words + Math.max(2, words / 10), length + " words: " + text);
        }
    }

    @Test
    void shouldSayWhenTheSentencesDoNotSuffice() {
        assertThrows(IllegalArgumentException.class, () -> Texts.of(5000, 8));
    }
}
