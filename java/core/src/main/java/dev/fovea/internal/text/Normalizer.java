package dev.fovea.internal.text;

import java.util.List;

/** Changes the characters of a text before it is split. */
public sealed interface Normalizer permits BertNormalizer, CharsmapNormalizer, Normalizer.Form, Normalizer.Lowercase,
        Normalizer.StripAccents, Normalizer.Strip, Normalizer.Nmt, Normalizer.Prepend, Normalizer.Replace,
        Normalizer.Bytes, Normalizer.Sequence {
    /** Changes {@code text}, which may be of {@code scratch}. */
    void normalize(Scratch scratch, Characters text);

    /** A normal form of Unicode. */
    record Form(boolean compatibly, boolean composes) implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            scratch.composer.normalize(text, compatibly, composes);
        }
    }

    /** Each character in lower case, wherever it stands. */
    record Lowercase() implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            text.begin();
            for (int i = 0; i < text.size; i++) {
                putLower(text, text.codes[i], i);
            }
            text.end();
        }
    }

    /** Adds the lower case of a code point. */
    static void putLower(Characters text, int code, int source) {
        if (code < 0x80) {
            text.put(code >= 'A' && code <= 'Z' ? code + 0x20 : code, source);
        } else if (!Unicode.is(code, Unicode.LOWERCASES)) {
            text.put(code, source);
        } else {
            Mapping mapping = Unicode.lower();
            int slot = mapping.slot(code);
            for (int k = 0; k < mapping.length(slot); k++) {
                text.put(mapping.image(slot, k), source);
            }
        }
    }

    /** No marks. */
    record StripAccents() implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            text.begin();
            for (int i = 0; i < text.size; i++) {
                if (text.codes[i] < 0x80 || !Unicode.is(text.codes[i], Unicode.COMBINING)) {
                    text.put(text.codes[i], i);
                }
            }
            text.end();
        }
    }

    /** No white space at the begin, or the end. */
    record Strip(boolean left, boolean right) implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            int from = 0;
            int to = text.size;
            while (left && from < to && Unicode.is(text.codes[from], Unicode.SPACE)) {
                from++;
            }
            while (right && from < to && Unicode.is(text.codes[to - 1], Unicode.SPACE)) {
                to--;
            }
            text.begin();
            text.putAll(from, to);
            text.end();
        }
    }

    /** Other white space as spaces, without control characters, as machine translation wants it. */
    record Nmt() implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            text.begin();
            for (int i = 0; i < text.size; i++) {
                int c = text.codes[i];
                boolean control = c >= 1 && c <= 8 || c == 0xB || c >= 0xE && c <= 0x1F || c == 0x7F || c == 0x8F
                        || c == 0x9F;
                if (!control) {
                    text.put(isSpace(c) ? ' ' : c, i);
                }
            }
            text.end();
        }

        private static boolean isSpace(int c) {
            return switch (c) {
                case 0x9, 0xA, 0xC, 0xD, 0x1680, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF,
                        0xFFFD -> true;
                default -> false;
            };
        }
    }

    /** A text before any that is not empty. */
    record Prepend(String prefix) implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            if (text.size == 0) {
                return;
            }
            text.begin();
            for (int i = 0; i < prefix.length(); i += Character.charCount(prefix.codePointAt(i))) {
                text.put(prefix.codePointAt(i), 0);
            }
            text.putAll(0, text.size);
            text.end();
        }
    }

    /**
     * Another text for each match.
     *
     * @param pattern a regular expression, or a text as it stands
     */
    record Replace(String pattern, boolean isRegex, String content, Pattern compiled) implements Normalizer {
        /** Compiles the pattern. */
        public Replace(String pattern, boolean isRegex, String content) {
            this(pattern, isRegex, content, isRegex ? Pattern.compile(pattern) : Pattern.of(pattern));
        }

        @Override
        public void normalize(Scratch scratch, Characters text) {
            Matches matches = scratch.matches;
            matches.clear();
            scratch.matcher.find(compiled, text, 0, text.size, matches);
            text.begin();
            for (int i = 0; i < matches.size(); i++) {
                if (!matches.isMatch(i)) {
                    text.putAll(matches.from(i), matches.to(i));
                    continue;
                }
                for (int k = 0; k < content.length(); k += Character.charCount(content.codePointAt(k))) {
                    text.put(content.codePointAt(k), matches.to(i) - 1);
                }
            }
            text.end();
        }
    }

    /** A character for each byte of UTF-8, as GPT-2 spells them. */
    record Bytes() implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            text.begin();
            for (int i = 0; i < text.size; i++) {
                ByteCharacters.put(text, i);
            }
            text.end();
        }
    }

    /** One after the other. */
    record Sequence(List<Normalizer> normalizers) implements Normalizer {
        @Override
        public void normalize(Scratch scratch, Characters text) {
            for (int i = 0; i < normalizers.size(); i++) {
                normalizers.get(i).normalize(scratch, text);
            }
        }
    }
}
