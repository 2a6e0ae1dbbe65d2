package dev.fovea.internal.text;

/** The characters that stand for bytes in vocabularies since GPT-2: visible ones for themselves, others beyond U+00FF. */
final class ByteCharacters {
    private static final int[] OF_BYTE = new int[256];

    static {
        int others = 256;
        for (int b = 0; b < 256; b++) {
            boolean visible = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            OF_BYTE[b] = visible ? b : others++;
        }
    }

    private ByteCharacters() {}

    /** Adds the characters for the bytes of a code point of {@code text} to what it becomes. */
    static void put(Characters text, int at) {
        int code = text.codes[at];
        if (code < 0x80) {
            text.put(OF_BYTE[code], at);
            return;
        }
        int bytes = PairMerges.bytes(code);
        for (int i = 0; i < bytes; i++) {
            text.put(OF_BYTE[PairMerges.utf8(code, bytes, i)], at);
        }
    }
}
