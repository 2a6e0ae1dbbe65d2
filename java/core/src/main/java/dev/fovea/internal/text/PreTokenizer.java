package dev.fovea.internal.text;

import java.util.List;

/** Splits a text into words, and words into smaller ones. */
public sealed interface PreTokenizer permits PreTokenizer.Bert, PreTokenizer.WhitespaceSplit, PreTokenizer.Whitespace,
        PreTokenizer.Punctuation, PreTokenizer.Digits, PreTokenizer.Delimiter, PreTokenizer.Split, Metaspace, ByteLevel,
        PreTokenizer.Sequence {
    /** Splits the words of {@code scratch}, which are of {@code text}; may change both. */
    void split(Scratch scratch, Characters text);

    /** Whether it asks where words stand in the original text. */
    default boolean asksForPlaces() {
        return false;
    }

    /** White space goes, punctuation stands alone. */
    record Bert() implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            Words words = scratch.words;
            words.begin();
            for (int i = 0; i < words.size; i++) {
                int start = words.from[i];
                for (int at = start; at < words.to[i]; at++) {
                    int properties = Unicode.of(text.codes[at]);
                    if ((properties & (Unicode.SPACE | Unicode.PUNCTUATION)) != 0) {
                        words.put(start, at);
                        start = at + 1;
                        if ((properties & Unicode.SPACE) == 0) {
                            words.put(at, at + 1);
                        }
                    }
                }
                words.put(start, words.to[i]);
            }
            words.end();
        }
    }

    /** White space goes. */
    record WhitespaceSplit() implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            byProperty(scratch, text, Unicode.SPACE, SplitBehavior.REMOVED);
        }
    }

    /** White space goes; letters and digits in a row are a word, and so are others. */
    record Whitespace() implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            Words words = scratch.words;
            words.begin();
            for (int i = 0; i < words.size; i++) {
                int start = words.from[i];
                int kind = 0;
                for (int at = start; at < words.to[i]; at++) {
                    int properties = Unicode.of(text.codes[at]);
                    int next = (properties & Unicode.WORD) != 0 ? 1 : (properties & Unicode.SPACE) != 0 ? 0 : 2;
                    if (next != kind) {
                        words.put(kind == 0 ? at : start, at);
                        start = at;
                        kind = next;
                    }
                }
                words.put(kind == 0 ? words.to[i] : start, words.to[i]);
            }
            words.end();
        }
    }

    /** Splits by punctuation. */
    record Punctuation(SplitBehavior behavior) implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            byProperty(scratch, text, Unicode.PUNCTUATION, behavior);
        }
    }

    /** Numbers are words, or each of their digits is. */
    record Digits(boolean individually) implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            byProperty(scratch, text, Unicode.NUMERIC, individually ? SplitBehavior.ISOLATED : SplitBehavior.CONTIGUOUS);
        }
    }

    /** A character goes. */
    record Delimiter(int delimiter) implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            byCode(scratch, text, delimiter, SplitBehavior.REMOVED);
        }
    }

    private static void byProperty(Scratch scratch, Characters text, int property, SplitBehavior behavior) {
        Words words = scratch.words;
        Matches matches = scratch.matches;
        words.begin();
        for (int i = 0; i < words.size; i++) {
            matches.clear();
            int start = words.from[i];
            for (int at = start; at < words.to[i]; at++) {
                if (Unicode.is(text.codes[at], property)) {
                    start = match(matches, start, at);
                }
            }
            if (start < words.to[i]) {
                matches.add(start, words.to[i], false);
            }
            matches.split(behavior, words);
        }
        words.end();
    }

    /** Splits by each occurrence of a character. */
    static void byCode(Scratch scratch, Characters text, int code, SplitBehavior behavior) {
        Words words = scratch.words;
        Matches matches = scratch.matches;
        words.begin();
        for (int i = 0; i < words.size; i++) {
            matches.clear();
            int start = words.from[i];
            for (int at = start; at < words.to[i]; at++) {
                if (text.codes[at] == code) {
                    start = match(matches, start, at);
                }
            }
            if (start < words.to[i]) {
                matches.add(start, words.to[i], false);
            }
            matches.split(behavior, words);
        }
        words.end();
    }

    private static int match(Matches matches, int start, int at) {
        if (start < at) {
            matches.add(start, at, false);
        }
        matches.add(at, at + 1, true);
        return at + 1;
    }

    /**
     * Splits by a pattern.
     *
     * @param pattern a regular expression, or a text as it stands
     * @param inverted whether what does not match is what splits
     */
    record Split(String pattern, boolean isRegex, SplitBehavior behavior, boolean inverted, Pattern compiled)
            implements PreTokenizer {
        /** Compiles the pattern. */
        public Split(String pattern, boolean isRegex, SplitBehavior behavior, boolean inverted) {
            this(pattern, isRegex, behavior, inverted, isRegex ? Pattern.compile(pattern) : Pattern.of(pattern));
        }

        @Override
        public void split(Scratch scratch, Characters text) {
            Words words = scratch.words;
            Matches matches = scratch.matches;
            words.begin();
            for (int i = 0; i < words.size; i++) {
                matches.clear();
                scratch.matcher.find(compiled, text, words.from[i], words.to[i], matches);
                if (inverted) {
                    matches.invert();
                }
                matches.split(behavior, words);
            }
            words.end();
        }
    }

    /** One after the other. */
    record Sequence(List<PreTokenizer> all) implements PreTokenizer {
        @Override
        public void split(Scratch scratch, Characters text) {
            for (int i = 0; i < all.size(); i++) {
                all.get(i).split(scratch, text);
            }
        }

        @Override
        public boolean asksForPlaces() {
            return all.stream().anyMatch(PreTokenizer::asksForPlaces);
        }
    }
}
