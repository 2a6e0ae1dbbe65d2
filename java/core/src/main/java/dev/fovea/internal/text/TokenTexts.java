package dev.fovea.internal.text;

import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;

/** How tokens are spelled, by their ids: those of a vocabulary, and added ones. */
public final class TokenTexts {
    private final Vocabulary vocabulary;
    /** Added tokens, by their ids. */
    private final int[] ids;
    private final String[] contents;
    private final BitSet special = new BitSet();

    /** Takes a vocabulary and the tokens that are added to it. */
    public TokenTexts(Vocabulary vocabulary, List<AddedToken> added) {
        this.vocabulary = vocabulary;
        TreeMap<Integer, String> byId = new TreeMap<>(Comparator.naturalOrder());
        added.forEach(token -> byId.put(token.id(), token.content()));
        this.ids = byId.keySet().stream().mapToInt(Integer::intValue).toArray();
        this.contents = byId.values().toArray(new String[0]);
        for (AddedToken token : added) {
            if (token.special()) {
                special.set(place(token.id()));
            }
        }
    }

    private int place(int id) {
        return Arrays.binarySearch(ids, id);
    }

    /** Adds the token with an id to a text; false if there is none. */
    boolean append(int id, StringBuilder to) {
        int place = place(id);
        if (place >= 0) {
            to.append(contents[place]);
            return true;
        }
        return vocabulary.append(id, to);
    }

    /** Whether a token is an added one that is not text. */
    public boolean isSpecial(int id) {
        int place = place(id);
        return place >= 0 && special.get(place);
    }
}
