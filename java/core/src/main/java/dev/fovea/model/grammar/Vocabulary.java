package dev.fovea.model.grammar;

import dev.fovea.text.Tokenizer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The tokens of a model, by which formats are followed. What is computed for a format is kept, for the formats that were
 * asked for last. Safe to share between threads.
 *
 * @param <F> formats as a caller knows them, by which what is computed is found again
 */
public final class Vocabulary<F> {
    private static final int KEPT = 16;

    private final Tokenizer tokenizer;
    private final int size;
    private final int[] endIds;
    private TokenTrie trie;
    private final Map<F, TokenMasks> masks = new LinkedHashMap<>(KEPT, 0.75f, true);

    /**
     * Of a tokenizer.
     *
     * @param size ids are below it
     * @param endIds the ids that end a text
     */
    public Vocabulary(Tokenizer tokenizer, int size, int[] endIds) {
        this.tokenizer = tokenizer;
        this.size = size;
        this.endIds = endIds.clone();
    }

    /**
     * An answer that follows a format. The first one of a format takes a fraction of a second.
     *
     * @param maxTokens of the answer
     * @throws UnsupportedOperationException if tokens have no bytes of their own
     */
    public Constraint constraint(F format, CompiledFormat compiled, int maxTokens) {
        return new Constraint(masks(format, compiled), endIds, maxTokens);
    }

    private TokenMasks masks(F format, CompiledFormat compiled) {
        TokenMasks known;
        synchronized (masks) {
            if (trie == null) {
                trie = new TokenTrie(tokenizer, size, endIds);
            }
            known = masks.get(format);
        }
        if (known != null) {
            return known;
        }
        TokenMasks made = new TokenMasks(compiled.automaton(), trie);
        made.prepare();
        synchronized (masks) {
            masks.put(format, made);
            if (masks.size() > KEPT) {
                masks.remove(masks.keySet().iterator().next());
            }
        }
        return made;
    }
}
