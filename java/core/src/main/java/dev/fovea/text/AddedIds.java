package dev.fovea.text;

import dev.fovea.internal.text.Vocabulary;
import java.util.HashMap;
import java.util.Map;

/**
 * The ids that the library gives to added tokens, whatever a file says: those of the vocabulary, for
 * others the next after the vocabulary's size and after all added before.
 */
final class AddedIds {
    private final Vocabulary vocabulary;
    private final Map<String, Integer> given = new HashMap<>();
    private int max = -1;

    AddedIds(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** The id of {@code token}, which is new or was given one before. */
    int give(String token) {
        Integer before = given.get(token);
        if (before != null) {
            return before;
        }
        int known = vocabulary.id(token);
        int id = known >= 0 ? known : Math.max(max + 1, vocabulary.size());
        given.put(token, id);
        max = Math.max(max, id);
        return id;
    }
}
