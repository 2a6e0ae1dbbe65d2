package dev.fovea.internal.text;

/**
 * What BERT makes of a text: no control characters, spaces around each Chinese character, no accents, lower case.
 *
 * <p>One pass does all of that, unless marks have to change places first.
 */
public record BertNormalizer(boolean cleansText, boolean spacesChinese, boolean stripsAccents, boolean lowercases)
        implements Normalizer {
    @Override
    public void normalize(Scratch scratch, Characters text) {
        if (stripsAccents && hasOrderedMarks(text)) {
            text.begin();
            for (int i = 0; i < text.size; i++) {
                clean(text, i, true);
            }
            text.end();
            scratch.composer.normalize(text, false, false);
            text.begin();
            for (int i = 0; i < text.size; i++) {
                accentless(text, text.codes[i], i);
            }
            text.end();
            return;
        }
        text.begin();
        for (int i = 0; i < text.size; i++) {
            clean(text, i, false);
        }
        text.end();
    }

    /** Whether there are marks that stay, whose order therefore matters. */
    private static boolean hasOrderedMarks(Characters text) {
        for (int i = 0; i < text.size; i++) {
            int code = text.codes[i];
            if (code >= 0x300) {
                int properties = Unicode.of(code);
                if (properties >>> Unicode.COMBINING_SHIFT != 0
                        && (properties & (Unicode.NONSPACING | Unicode.DECOMPOSES)) == 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Cleans a character and, unless {@code only} that is wanted, does the rest. */
    private void clean(Characters text, int at, boolean only) {
        int code = text.codes[at];
        if (code < 0x80) {
            if (code > ' ' && code < 0x7f) {
                text.put(lowercases && !only && code >= 'A' && code <= 'Z' ? code + 0x20 : code, at);
                return;
            }
            if (!cleansText || code == ' ') {
                text.put(code, at);
            } else if (code == '\t' || code == '\n' || code == '\r') {
                text.put(' ', at);
            }
            return;
        }
        int properties = Unicode.of(code);
        if (cleansText && ((properties & Unicode.OTHER) != 0 || code == 0xFFFD)) {
            return;
        }
        int cleaned = cleansText && (properties & Unicode.SPACE) != 0 ? ' ' : code;
        boolean spaced = spacesChinese && code >= 0x3400 && isChinese(code);
        if (spaced) {
            text.put(' ', at);
        }
        if (only) {
            text.put(cleaned, at);
        } else {
            decomposed(text, cleaned, cleaned == code ? properties : 0, at);
        }
        if (spaced) {
            text.put(' ', at);
        }
    }

    private void decomposed(Characters text, int code, int properties, int at) {
        if (!stripsAccents || (properties & Unicode.DECOMPOSES) == 0) {
            accentless(text, code, at);
            return;
        }
        int syllable = code - 0xAC00;
        if (syllable >= 0 && syllable < 11172) {
            text.put(0x1100 + syllable / 588, at);
            text.put(0x1161 + syllable % 588 / 28, at);
            if (syllable % 28 != 0) {
                text.put(0x11A7 + syllable % 28, at);
            }
            return;
        }
        Mapping mapping = Unicode.canonical();
        int slot = mapping.slot(code);
        for (int i = 0; i < mapping.length(slot); i++) {
            accentless(text, mapping.image(slot, i), at);
        }
    }

    private void accentless(Characters text, int code, int at) {
        if (stripsAccents && code >= 0x80 && Unicode.is(code, Unicode.NONSPACING)) {
            return;
        }
        if (lowercases) {
            Normalizer.putLower(text, code, at);
        } else {
            text.put(code, at);
        }
    }

    /** The blocks that the library names, not those of Unicode: U+2B820 to U+2B91F are missing. */
    private static boolean isChinese(int code) {
        return code >= 0x4E00 && code <= 0x9FFF || code >= 0x3400 && code <= 0x4DBF
                || code >= 0x20000 && code <= 0x2A6DF || code >= 0x2A700 && code <= 0x2B81F
                || code >= 0x2B920 && code <= 0x2CEAF || code >= 0xF900 && code <= 0xFAFF
                || code >= 0x2F800 && code <= 0x2FA1F;
    }
}
