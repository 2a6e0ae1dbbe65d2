package dev.fovea.internal.files;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** The JDK's decoder is the oracle. */
class Utf8Test {
    private static String decoded(byte[] bytes) {
        char[] chars = new char[bytes.length + 1];
        int end = Utf8.decode(bytes, 0, bytes.length, chars, 1);
        return end < 0 ? null : new String(chars, 1, end - 1);
    }

    private static String expected(byte[] bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            return null;
        }
    }

    @Test
    void decodesEachCodePoint() {
        for (int codePoint = 0; codePoint <= Character.MAX_CODE_POINT; codePoint++) {
            if (codePoint < Character.MIN_SURROGATE || codePoint > Character.MAX_SURROGATE) {
                String text = Character.toString(codePoint);
                byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
                assertEquals(text, decoded(bytes));
                assertEquals(bytes.length, Utf8.bytes(codePoint));
            }
        }
    }

    /** All of two bytes, and more that begin like text: too long forms, surrogates, code points too large, ends cut off. */
    @Test
    void refusesWhatTheDecoderRefuses() {
        var random = new SplittableRandom(1);
        byte[] leads = {(byte) 0xc0, (byte) 0xc1, (byte) 0xc2, (byte) 0xdf, (byte) 0xe0, (byte) 0xe1, (byte) 0xed, (byte) 0xef,
            (byte) 0xf0, (byte) 0xf1, (byte) 0xf4, (byte) 0xf5, (byte) 0xff, 'a'};
        for (int i = 0; i < 1 << 16; i++) {
            check((byte) (i >> 8), (byte) i);
        }
        for (int i = 0; i < 300_000; i++) {
            byte[] bytes = new byte[1 + random.nextInt(6)];
            for (int at = 0; at < bytes.length; at++) {
                bytes[at] = at == 0 || random.nextInt(4) == 0 ? leads[random.nextInt(leads.length)]
                        : (byte) (0x80 | random.nextInt(64));
            }
            check(bytes);
        }
    }

    private static void check(byte... bytes) {
        assertEquals(expected(bytes), decoded(bytes), () -> new java.math.BigInteger(1, bytes).toString(16));
    }
}
