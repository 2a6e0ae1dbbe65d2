package dev.fovea.text;

import dev.fovea.weights.FormatException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/**
 * The {@code precompiled_charsmap} of a normalizer, as SentencePiece writes it: the size in bytes of a double array, the
 * array, and texts that end with 0. The library follows its offsets without a check, so this checks all of them.
 *
 * <p>A unit of the array, by darts-clone: bit 31 marks a label or value, bits 0 to 7 the label, bit 8 that the node has
 * a value, bit 9 that the offset in bits 10 to 30 is in units of 256.
 */
final class Charsmap {
    private Charsmap() {}

    static void check(JsonFields normalizer, String key) throws FormatException {
        byte[] bytes;
        try {
            bytes = Base64.getDecoder().decode(normalizer.string(key));
        } catch (IllegalArgumentException e) {
            throw normalizer.error(key, "not valid Base64");
        }
        ByteBuffer map = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        long trieBytes = bytes.length < 4 ? -1 : Integer.toUnsignedLong(map.getInt(0));
        if (trieBytes < 4 || trieBytes % 4 != 0 || trieBytes > bytes.length - 4) {
            throw normalizer.error(key, "a damaged map of characters: an array of " + trieBytes + " bytes in "
                    + bytes.length);
        }
        int units = (int) (trieBytes / 4);
        int texts = (int) (4 + trieBytes);
        try {
            StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, texts, bytes.length - texts));
        } catch (CharacterCodingException e) {
            throw normalizer.error(key, "a damaged map of characters: texts that are not valid UTF-8");
        }
        for (int i = 0; i < units; i++) {
            int unit = map.getInt(4 + 4 * i);
            if (unit < 0) {
                continue;
            }
            int next = i ^ (unit >>> 10) << ((unit & 1 << 9) >>> 6);
            boolean hasValue = (unit >>> 8 & 1) == 1;
            if (next < 0 || (next | 0xff) >= units) {
                throw normalizer.error(key, "a damaged map of characters: unit " + i + " leads to " + next + " of " + units);
            }
            if (hasValue) {
                int value = map.getInt(4 + 4 * next) & Integer.MAX_VALUE;
                if (value >= bytes.length - texts || (bytes[texts + value] & 0xc0) == 0x80) {
                    throw normalizer.error(key, "a damaged map of characters: no text at " + value);
                }
            }
        }
    }
}
