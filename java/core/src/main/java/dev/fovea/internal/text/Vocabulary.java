package dev.fovea.internal.text;

import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;

/**
 * The vocabulary of a tokenizer, token to id. Tens of thousands of tokens that are read whenever a model is loaded, so it
 * keeps chars and integers, and no object per token.
 *
 * <p>A token is found by a hash that grows with each of its code points: whoever looks for the longest token that a word
 * begins with hashes the word once. The hash begins at random, for files may be hostile.
 */
public final class Vocabulary {
    /** The largest id that a token may have. */
    public static final int MAX_ID = Integer.MAX_VALUE - 1;

    private final long seed = ThreadLocalRandom.current().nextLong();

    private char[] chars;
    private int length;
    /** Where the token begins that is being written. */
    private int tokenStart;

    /** Where each token ends, and its id. */
    private int[] ends;
    private int[] ids;
    private int size;
    private int maxId;
    private int longest;
    private boolean wellFormed = true;

    /** Open addressing: the high half of a token's hash, then its index plus 1; or 0. At most half full. */
    private long[] slots;
    /** Token indexes by id; made when the first is asked for. */
    private volatile int[] byId;

    /** Of any number of tokens. */
    public Vocabulary() {
        this(1 << 15, 1 << 18);
    }

    /** With room for some tokens and the chars of all; more make it grow. */
    public Vocabulary(int tokens, int chars) {
        this.chars = new char[Math.max(chars, 1 << 8)];
        int room = Math.min(Math.max(tokens, 1 << 8), 1 << 26);
        ends = new int[room];
        ids = new int[room];
        slots = new long[Integer.highestOneBit(2 * room - 1) << 1];
    }

    /** Begins the next token. */
    public void begin() {
        tokenStart = length;
    }

    /** Adds a UTF-16 code unit to the token. */
    public void append(char c) {
        if (length == chars.length) {
            chars = Arrays.copyOf(chars, Math.multiplyExact(2, length));
        }
        chars[length++] = c;
    }

    /** Adds the first so many UTF-16 code units of an array to the token. */
    public void append(char[] text, int count) {
        if (count > chars.length - length) {
            chars = Arrays.copyOf(chars, Math.max(Math.addExact(length, count), Math.multiplyExact(2, length)));
        }
        System.arraycopy(text, 0, chars, length, count);
        length += count;
    }

    /** The token that is being written. */
    public String token() {
        return new String(chars, tokenStart, length - tokenStart);
    }

    /** Ends the token, of an id from 0 to {@link #MAX_ID}; false if it was there before. */
    public boolean end(int id) {
        long hash = seed;
        int codePoints = 0;
        for (int i = tokenStart; i < length; codePoints++) {
            int codePoint = codePointAt(i, length);
            hash = step(hash, codePoint);
            i += Character.charCount(codePoint);
            wellFormed &= codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE;
        }
        if (2 * size >= slots.length - 2) {
            grow();
        }
        int slot = (int) hash & slots.length - 1;
        while (slots[slot] != 0) {
            if ((int) (slots[slot] >>> 32) == (int) (hash >>> 32) && isEntry((int) slots[slot] - 1)) {
                return false;
            }
            slot = slot + 1 & slots.length - 1;
        }
        if (size == ids.length) {
            ends = Arrays.copyOf(ends, 2 * size);
            ids = Arrays.copyOf(ids, 2 * size);
        }
        ends[size] = length;
        ids[size++] = id;
        slots[slot] = hash >>> 32 << 32 | size;
        maxId = Math.max(maxId, id);
        longest = Math.max(longest, codePoints);
        return true;
    }

    private boolean isEntry(int entry) {
        return Arrays.equals(chars, start(entry), ends[entry], chars, tokenStart, length);
    }

    private int start(int entry) {
        return entry == 0 ? 0 : ends[entry - 1];
    }

    private int codePointAt(int at, int end) {
        return codePointAt(chars, at, end);
    }

    private static int codePointAt(char[] text, int at, int end) {
        char high = text[at];
        return Character.isHighSurrogate(high) && at + 1 < end && Character.isLowSurrogate(text[at + 1])
                ? Character.toCodePoint(high, text[at + 1]) : high;
    }

    /** The hash of nothing. */
    long seed() {
        return seed;
    }

    /** The hash of what {@code hash} is of, and one code point more. */
    static long step(long hash, int codePoint) {
        long product = (hash ^ codePoint) * 0x9E3779B97F4A7C15L;
        return product ^ product >>> 32;
    }

    /** The hash of a text that goes on from one of the given hash. */
    long hash(long from, String text) {
        long hash = from;
        for (int i = 0; i < text.length();) {
            int codePoint = text.codePointAt(i);
            hash = step(hash, codePoint);
            i += Character.charCount(codePoint);
        }
        return hash;
    }

    private static long hash(long from, char[] text, int begin, int end) {
        long hash = from;
        for (int i = begin; i < end;) {
            int codePoint = codePointAt(text, i, end);
            hash = step(hash, codePoint);
            i += Character.charCount(codePoint);
        }
        return hash;
    }

    /**
     * The id of the token that is {@code before} and some code points, or −1.
     *
     * @param hash of all of that
     */
    int find(long hash, String before, int[] codePoints, int from, int to) {
        int slot = (int) hash & slots.length - 1;
        for (long found = slots[slot]; found != 0; found = slots[slot]) {
            int entry = (int) found - 1;
            if ((int) (found >>> 32) == (int) (hash >>> 32) && isEntry(entry, before, codePoints, from, to)) {
                return ids[entry];
            }
            slot = slot + 1 & slots.length - 1;
        }
        return -1;
    }

    /**
     * The id of the token that is a code point between two texts, or −1.
     *
     * @param hash of all of that
     */
    int find(long hash, String before, int codePoint, String behind) {
        int slot = (int) hash & slots.length - 1;
        for (long found = slots[slot]; found != 0; found = slots[slot]) {
            int entry = (int) found - 1;
            if ((int) (found >>> 32) == (int) (hash >>> 32) && isEntry(entry, before, codePoint, behind)) {
                return ids[entry];
            }
            slot = slot + 1 & slots.length - 1;
        }
        return -1;
    }

    private boolean isEntry(int entry, String before, int[] codePoints, int from, int to) {
        int at = start(entry);
        int end = ends[entry];
        if (end - at < before.length() + to - from) {
            return false;
        }
        if (!has(at, before)) {
            return false;
        }
        at += before.length();
        for (int i = from; i < to; i++) {
            int codePoint = codePoints[i];
            if (codePoint < Character.MIN_SUPPLEMENTARY_CODE_POINT) {
                if (at >= end || chars[at++] != codePoint) {
                    return false;
                }
            } else if (at + 1 >= end || chars[at++] != Character.highSurrogate(codePoint)
                    || chars[at++] != Character.lowSurrogate(codePoint)) {
                return false;
            }
        }
        return at == end;
    }

    /** The id of {@code token}, or −1. */
    public int id(String token) {
        return id(token.toCharArray(), 0, token.length());
    }

    /** The id of the token that is a part of a text, whole code points, or −1. */
    public int id(char[] text, int begin, int end) {
        return id(text, begin, end, end, end);
    }

    /** The id of the token that is two parts of a text, one behind the other, or −1. */
    public int id(char[] text, int begin, int end, int next, int last) {
        long hash = hash(hash(seed, text, begin, end), text, next, last);
        int slot = (int) hash & slots.length - 1;
        for (long found = slots[slot]; found != 0; found = slots[slot]) {
            int entry = (int) found - 1;
            int start = start(entry);
            if ((int) (found >>> 32) == (int) (hash >>> 32) && ends[entry] - start == end - begin + last - next
                    && has(start, text, begin, end) && has(start + end - begin, text, next, last)) {
                return ids[entry];
            }
            slot = slot + 1 & slots.length - 1;
        }
        return -1;
    }

    /** Whether the surrogates of all tokens come in pairs. */
    public boolean isWellFormed() {
        return wellFormed;
    }

    private boolean isEntry(int entry, String before, int codePoint, String behind) {
        int start = start(entry);
        int at = start + before.length();
        int next = at + Character.charCount(codePoint);
        return ends[entry] - next == behind.length() && has(start, before) && codePointAt(at, next) == codePoint
                && has(next, behind);
    }

    /** Whether a text stands at a place where there are as many chars. */
    private boolean has(int at, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (chars[at + i] != text.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private boolean has(int at, char[] text, int begin, int end) {
        for (int i = begin; i < end; i++) {
            if (chars[at + i - begin] != text[i]) {
                return false;
            }
        }
        return true;
    }

    /** The number of tokens. */
    public int size() {
        return size;
    }

    /** The largest id; 0 without any. */
    public int maxId() {
        return maxId;
    }

    /** The code points of the longest token. */
    int longest() {
        return longest;
    }

    /** The token with an index in the order of the file. */
    String token(int index) {
        return new String(chars, start(index), ends[index] - start(index));
    }

    /** The code point that is the whole token with an index, or −1. */
    int single(int index) {
        int start = start(index);
        int codePoint = ends[index] > start ? codePointAt(start, ends[index]) : -1;
        return codePoint >= 0 && Character.charCount(codePoint) == ends[index] - start ? codePoint : -1;
    }

    /** Takes two code points that stand side by side in a token. */
    interface PairConsumer {
        void accept(int first, int second);
    }

    /** Gives all pairs of code points that stand side by side in tokens, some of them often. */
    void forEachPair(PairConsumer consumer) {
        for (int entry = 0; entry < size; entry++) {
            int last = -1;
            for (int i = start(entry); i < ends[entry];) {
                int codePoint = codePointAt(i, ends[entry]);
                if (last >= 0) {
                    consumer.accept(last, codePoint);
                }
                last = codePoint;
                i += Character.charCount(codePoint);
            }
        }
    }

    /** The id of the token with an index. */
    int idAt(int index) {
        return ids[index];
    }

    /** The token with an id; empty if there is none. */
    public String tokenOf(int id) {
        int index = indexOf(id);
        return index < 0 ? "" : token(index);
    }

    /** Adds the token with an id to a text; false if there is none. */
    boolean append(int id, StringBuilder to) {
        int index = indexOf(id);
        if (index >= 0) {
            to.append(chars, start(index), ends[index] - start(index));
        }
        return index >= 0;
    }

    /** The place of the token with an id in the order of the file, or −1. */
    private int indexOf(int id) {
        int[] indexes = byId;
        if (indexes == null) {
            indexes = new int[Math.min(maxId, 4 * size + 1000) + 1];
            for (int i = 0; i < size; i++) {
                if (ids[i] < indexes.length) {
                    indexes[ids[i]] = i + 1;
                }
            }
            byId = indexes;
        }
        if (id >= 0 && id < indexes.length) {
            return indexes[id] - 1;
        }
        for (int i = 0; i < size; i++) {
            if (ids[i] == id) {
                return i;
            }
        }
        return -1;
    }

    private void grow() {
        long[] old = slots;
        slots = new long[2 * old.length];
        for (long entry : old) {
            if (entry != 0) {
                put(entry);
            }
        }
    }

    /** Puts an entry where its token's hash wants it. */
    private void put(long entry) {
        int index = (int) entry - 1;
        int slot = (int) hash(seed, chars, start(index), ends[index]) & slots.length - 1;
        while (slots[slot] != 0) {
            slot = slot + 1 & slots.length - 1;
        }
        slots[slot] = entry;
    }
}
