package dev.fovea.internal.text;

/**
 * Bytes of UTF-8 to text, as they come. A character whose last byte has not come yet is held back. What is not valid, by
 * table 3-7 of the Unicode standard, becomes U+FFFD: one for each such byte, or for each longest begin of a character.
 */
final class Utf8Text {
    private static final char REPLACEMENT = '\uFFFD';

    private final boolean perByte;
    /** The bits of the character so far, how many bytes it has had, and how many are to come. */
    private int bits;
    private int taken;
    private int missing;
    /** What the next byte must be. */
    private int least;
    private int most;

    /**
     * Makes one without bytes.
     *
     * @param perByte whether each byte that is not valid becomes a character
     */
    Utf8Text(boolean perByte) {
        this.perByte = perByte;
    }

    void begin() {
        missing = 0;
    }

    /** Takes a byte, and adds what is certain now. */
    void put(int b, StringBuilder to) {
        if (missing > 0) {
            if (b >= least && b <= most) {
                goOn(b, to);
                return;
            }
            end(to);
        }
        if (b < 0x80) {
            to.append((char) b);
        } else if (b < 0xc2 || b > 0xf4) {
            to.append(REPLACEMENT);
        } else {
            missing = b < 0xe0 ? 1 : b < 0xf0 ? 2 : 3;
            bits = b & 0x3f >> missing;
            taken = 1;
            least = b == 0xe0 ? 0xa0 : b == 0xf0 ? 0x90 : 0x80;
            most = b == 0xed ? 0x9f : b == 0xf4 ? 0x8f : 0xbf;
        }
    }

    private void goOn(int b, StringBuilder to) {
        bits = bits << 6 | b & 0x3f;
        taken++;
        least = 0x80;
        most = 0xbf;
        if (--missing == 0) {
            append(to, bits);
        }
    }

    /** Adds a code point; {@link StringBuilder#appendCodePoint} makes a text of some. */
    static void append(StringBuilder to, int code) {
        if (Character.isBmpCodePoint(code)) {
            to.append((char) code);
        } else {
            to.append(Character.highSurrogate(code)).append(Character.lowSurrogate(code));
        }
    }

    /** Adds what is left of a character that has no end. */
    void end(StringBuilder to) {
        for (int i = 0; missing > 0 && i < (perByte ? taken : 1); i++) {
            to.append(REPLACEMENT);
        }
        missing = 0;
    }
}
