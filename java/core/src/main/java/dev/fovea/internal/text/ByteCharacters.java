package dev.fovea.internal.text;

import dev.fovea.internal.files.Utf8;
import java.util.Arrays;

/** The characters that stand for bytes in vocabularies since GPT-2: visible ones for themselves, others beyond U+00FF. */
final class ByteCharacters {
    private static final int[] OF_BYTE = new int[256];
    /** The bytes that characters stand for, or −1. */
    private static final short[] BYTES = new short[256 + 68];

    static {
        Arrays.fill(BYTES, (short) -1);
        int others = 256;
        for (int b = 0; b < 256; b++) {
            boolean visible = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            OF_BYTE[b] = visible ? b : others++;
            BYTES[OF_BYTE[b]] = (short) b;
        }
    }

    private ByteCharacters() {}

    /** The byte that a character stands for, or −1. */
    static int byteOf(char character) {
        return character < BYTES.length ? BYTES[character] : -1;
    }

    /** Adds the characters for the bytes of a code point of {@code text} to what it becomes. */
    static void put(Characters text, int at) {
        int code = text.codes[at];
        if (code < 0x80) {
            text.put(OF_BYTE[code], at);
            return;
        }
        int bytes = Utf8.bytes(code);
        for (int i = 0; i < bytes; i++) {
            text.put(OF_BYTE[PairMerges.utf8(code, bytes, i)], at);
        }
    }
}
