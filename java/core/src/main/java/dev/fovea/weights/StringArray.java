package dev.fovea.weights;

import java.util.AbstractList;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * Texts of a file, such as the hundreds of thousands of a vocabulary, in one array of chars: what is asked for becomes a
 * {@link String}. Safe to share between threads.
 */
public final class StringArray extends AbstractList<String> implements RandomAccess {
    private final char[] chars;
    /** Where each text ends. */
    private final int[] ends;

    /** Of the chars of all texts, one behind the other, and where each ends. */
    StringArray(char[] chars, int[] ends) {
        this.chars = chars;
        this.ends = ends;
    }

    @Override
    public int size() {
        return ends.length;
    }

    @Override
    public String get(int index) {
        return new String(chars, begin(index), length(index));
    }

    /** The chars of all texts together. */
    public int chars() {
        return size() == 0 ? 0 : ends[size() - 1];
    }

    /** The chars of a text. */
    public int length(int index) {
        return ends[index] - begin(index);
    }

    /** A char of a text. */
    public char charAt(int index, int at) {
        return chars[begin(index) + Objects.checkIndex(at, length(index))];
    }

    /**
     * Copies a text to the start of an array.
     *
     * @return the array, or a larger one if the text does not fit it
     */
    public char[] copy(int index, char[] to) {
        int length = length(index);
        char[] room = length <= to.length ? to : new char[Math.max(length, 2 * to.length)];
        System.arraycopy(chars, begin(index), room, 0, length);
        return room;
    }

    private int begin(int index) {
        return index == 0 ? 0 : ends[index - 1];
    }
}
