package dev.fovea.internal.files;

/**
 * UTF-8 by RFC 3629, section 4. Plain loops over arrays, which a JVM that has just started runs fast: vocabularies have hundreds
 * of thousands of tokens.
 */
public final class Utf8 {
    private Utf8() {}

    /** The code point that begins at a byte, which is not ASCII; −1 if there is none before {@code end}. */
    public static int codePoint(byte[] bytes, int at, int end) {
        int lead = bytes[at] & 0xff;
        int more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
        if (lead < 0xc2 || lead > 0xf4 || more >= end - at) {
            return -1;
        }
        int codePoint = lead & 0x3f >> more;
        for (int i = 1; i <= more; i++) {
            if ((bytes[at + i] & 0xc0) != 0x80) {
                return -1;
            }
            codePoint = codePoint << 6 | bytes[at + i] & 0x3f;
        }
        int least = more == 1 ? 0x80 : more == 2 ? 0x800 : 0x10000;
        boolean isSurrogate = codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
        return codePoint < least || codePoint > Character.MAX_CODE_POINT || isSurrogate ? -1 : codePoint;
    }

    /** How many bytes a code point takes. */
    public static int bytes(int codePoint) {
        return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    }

    /**
     * Decodes bytes into chars, of which there is room for as many.
     *
     * @return where the chars end; −1 if the bytes are no text
     */
    public static int decode(byte[] bytes, int begin, int end, char[] to, int first) {
        int next = first;
        for (int at = begin; at < end;) {
            if (bytes[at] >= 0) {
                to[next++] = (char) bytes[at++];
                continue;
            }
            int codePoint = codePoint(bytes, at, end);
            if (codePoint < 0) {
                return -1;
            }
            at += bytes(codePoint);
            if (codePoint < Character.MIN_SUPPLEMENTARY_CODE_POINT) {
                to[next++] = (char) codePoint;
            } else {
                to[next++] = Character.highSurrogate(codePoint);
                to[next++] = Character.lowSurrogate(codePoint);
            }
        }
        return next;
    }
}
