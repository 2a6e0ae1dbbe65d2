package dev.fovea.text;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The vocabulary of a tokenizer, token to id, and the same as JSON. Tens of thousands of tokens that are read
 * whenever a model is loaded, so it keeps bytes and integers, and no object per token.
 *
 * <p>Tokens stand in the JSON in ASCII: what needs an escape, and all that is not ASCII, as the escape of four
 * hexadecimal digits. A token so has one spelling, which is what is compared.
 */
final class Vocabulary {
    /** The largest id that a token may have. */
    static final int MAX_ID = Integer.MAX_VALUE - 1;

    private static final byte[] HEX = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);

    private byte[] json = new byte[1 << 19];
    private int length;
    /** Where the token begins that is being written. */
    private int tokenStart;

    /** Where in the JSON each token begins and ends, and its id. */
    private int[] starts = new int[1 << 15];
    private int[] ends = new int[1 << 15];
    private int[] ids = new int[1 << 15];
    private int size;
    private int maxId;

    /** Open addressing by a token's hash: its index plus 1, or 0. At most half full. */
    private int[] slots = new int[1 << 16];

    Vocabulary() {
        json[length++] = '{';
    }

    /** Begins the next token. */
    void begin() {
        reserve();
        if (length > 1) {
            json[length++] = ',';
        }
        json[length++] = '"';
        tokenStart = length;
    }

    /** Adds a UTF-16 code unit to the token. */
    void append(char c) {
        reserve();
        length = spell(c, json, length);
    }

    /** The token that is being written, as it stands in the JSON. */
    String token() {
        return new String(json, tokenStart, length - tokenStart, StandardCharsets.US_ASCII);
    }

    /** Ends the token, of an id from 0 to {@link #MAX_ID}; false if it was there before. */
    boolean end(int id) {
        int slot = slot(json, tokenStart, length);
        if (slots[slot] != 0) {
            return false;
        }
        if (size == ids.length) {
            grow();
            slot = slot(json, tokenStart, length);
        }
        starts[size] = tokenStart;
        ends[size] = length;
        ids[size++] = id;
        slots[slot] = size;
        maxId = Math.max(maxId, id);
        reserve();
        json[length++] = '"';
        json[length++] = ':';
        append(id);
        return true;
    }

    private void append(int number) {
        int unit = 1;
        while (number / unit >= 10) {
            unit *= 10;
        }
        for (; unit > 0; unit /= 10) {
            json[length++] = (byte) ('0' + number / unit % 10);
        }
    }

    /** The id of {@code token}, or null. */
    Integer id(String token) {
        byte[] spelled = new byte[Math.multiplyExact(6, token.length())];
        int end = 0;
        for (int i = 0; i < token.length(); i++) {
            end = spell(token.charAt(i), spelled, end);
        }
        int entry = slots[slot(spelled, 0, end)];
        return entry == 0 ? null : ids[entry - 1];
    }

    int size() {
        return size;
    }

    int maxId() {
        return maxId;
    }

    /** The vocabulary as JSON. */
    String json() {
        return new String(json, 0, length, StandardCharsets.US_ASCII) + '}';
    }

    /** Writes a UTF-16 code unit as the JSON has it; gives where the next one goes. */
    private static int spell(char c, byte[] to, int at) {
        if (c >= ' ' && c < 0x7f && c != '"' && c != '\\') {
            to[at] = (byte) c;
            return at + 1;
        }
        to[at] = '\\';
        to[at + 1] = 'u';
        for (int i = 0; i < 4; i++) {
            to[at + 2 + i] = HEX[c >> 12 - 4 * i & 0xf];
        }
        return at + 6;
    }

    /** Makes room for what any step writes. */
    private void reserve() {
        if (json.length - length < 16) {
            json = Arrays.copyOf(json, Math.multiplyExact(2, json.length));
        }
    }

    private void grow() {
        starts = Arrays.copyOf(starts, 2 * size);
        ends = Arrays.copyOf(ends, 2 * size);
        ids = Arrays.copyOf(ids, 2 * size);
        slots = new int[4 * size];
        for (int i = 0; i < size; i++) {
            slots[slot(json, starts[i], ends[i])] = i + 1;
        }
    }

    /** Where a token has its entry, or is to have it. */
    private int slot(byte[] bytes, int start, int end) {
        int hash = 0;
        for (int i = start; i < end; i++) {
            hash = 31 * hash + bytes[i];
        }
        int slot = (hash ^ hash >>> 16) & slots.length - 1;
        while (slots[slot] != 0 && !isEntry(slots[slot] - 1, bytes, start, end)) {
            slot = slot + 1 & slots.length - 1;
        }
        return slot;
    }

    private boolean isEntry(int entry, byte[] bytes, int start, int end) {
        return Arrays.equals(json, starts[entry], ends[entry], bytes, start, end);
    }
}
