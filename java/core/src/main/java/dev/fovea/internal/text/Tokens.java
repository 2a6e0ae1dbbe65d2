package dev.fovea.internal.text;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The tokens of a text, as they are found. */
public final class Tokens {
    private int[] ids = new int[128];
    private int[] starts = new int[0];
    private int[] ends = new int[0];
    private int[] words = new int[0];
    private int size;
    private int word;
    private boolean placed;
    /** How the text spells the tokens; null if no one wants to know. */
    private List<String> spellings;

    /** The tokens that there is room for. */
    int room() {
        return ids.length;
    }

    void begin(boolean keepPlaces, boolean keepSpellings) {
        size = 0;
        word = -1;
        placed = keepPlaces;
        spellings = keepSpellings ? new ArrayList<>() : null;
    }

    /** The next tokens are of the next word. */
    void nextWord() {
        word++;
    }

    /** Adds a token, which stands for code points of a text. */
    void add(int id, Characters text, int from, int to) {
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, 2 * size);
        }
        ids[size] = id;
        if (placed) {
            if (starts.length < ids.length) {
                starts = Arrays.copyOf(starts, ids.length);
                ends = Arrays.copyOf(ends, ids.length);
                words = Arrays.copyOf(words, ids.length);
            }
            starts[size] = text.starts[from];
            ends[size] = text.ends[to - 1];
            words[size] = word;
        }
        size++;
    }

    /** Says how the last token is spelled. */
    void spell(String token) {
        if (spellings != null) {
            spellings.add(token);
        }
    }

    /** Says that the last token is spelled as the text has it. */
    void spell(Characters text, int from, int to) {
        if (spellings != null) {
            spellings.add(new String(text.codes, from, to - from));
        }
    }

    boolean spells() {
        return spellings != null;
    }

    /** Takes tokens back until there are so many. */
    void cut(int count) {
        size = count;
        while (spellings != null && spellings.size() > count) {
            spellings.removeLast();
        }
    }

    /** How many there are. */
    public int size() {
        return size;
    }

    /** Their ids, and more room. */
    public int[] ids() {
        return ids;
    }

    /** Where they begin in the text, in chars. */
    public int[] starts() {
        return Arrays.copyOf(starts, size);
    }

    /** Where they end. */
    public int[] ends() {
        return Arrays.copyOf(ends, size);
    }

    /** The numbers of the words that they are of. */
    public int[] words() {
        return Arrays.copyOf(words, size);
    }

    /** How they are spelled. */
    public List<String> spellings() {
        return List.copyOf(spellings);
    }
}
