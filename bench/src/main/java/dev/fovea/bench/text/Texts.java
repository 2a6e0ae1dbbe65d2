package dev.fovea.bench.text;

import dev.fovea.bench.encode.Sentences;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Texts of a given length: sentences, or several that stand one after the other. */
final class Texts {
    private Texts() {}

    /** So many texts of about {@code words} words: at least as many, and at most a tenth or two words more. */
    static List<String> of(int words, int count) {
        int most = words + Math.max(2, words / 10);
        List<String> texts = new ArrayList<>();
        Iterator<String> sentences = Sentences.ALL.iterator();
        String text = "";
        while (texts.size() < count) {
            if (!sentences.hasNext()) {
                throw new IllegalArgumentException("the sentences give " + texts.size() + " texts of " + words
                        + " words, expected " + count);
            }
            String longer = (text + ' ' + sentences.next()).strip();
            int length = Sentences.words(longer);
            if (length <= most) {
                text = longer;
            }
            if (length >= words && length <= most) {
                texts.add(text);
                text = "";
            }
        }
        return texts;
    }
}
