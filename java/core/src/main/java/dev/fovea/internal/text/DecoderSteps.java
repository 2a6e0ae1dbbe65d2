package dev.fovea.internal.text;

/** Steps of decoding that change how tokens are spelled, or put them together. */
final class DecoderSteps {
    private DecoderSteps() {}

    /** The last one, which gives the text to whoever asked. */
    static final class Sink extends DecoderStep {
        private StringBuilder to;

        void to(StringBuilder text) {
            to = text;
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            to.append(text);
        }

        @Override
        void end() {
            // Nothing is held back.
        }

        @Override
        void begin() {
            // Nothing is remembered.
        }
    }

    /** A step that must know which token is the first. */
    private abstract static class Counting extends DecoderStep {
        private boolean started;
        private boolean first;

        @Override
        final void begin() {
            started = false;
            super.begin();
        }

        @Override
        final void take(StringBuilder text, boolean goesOn) {
            first = goesOn && first || !started;
            started = true;
            change(text, first, goesOn);
        }

        /** Changes what may be of the first token, and passes it on. */
        abstract void change(StringBuilder text, boolean first, boolean goesOn);
    }

    static final class Fuse extends DecoderStep {
        private boolean started;

        @Override
        void begin() {
            started = false;
            super.begin();
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            next.take(text, started);
            started = true;
        }
    }

    static final class Spaces extends Counting {
        @Override
        void change(StringBuilder text, boolean first, boolean goesOn) {
            if (!first) {
                text.insert(0, ' ');
            }
            next.take(text, goesOn);
        }
    }

    static final class Metaspace extends Counting {
        private final int replacement;
        private final boolean dropsFirst;

        Metaspace(int replacement, boolean dropsFirst) {
            this.replacement = replacement;
            this.dropsFirst = dropsFirst;
        }

        @Override
        void change(StringBuilder text, boolean first, boolean goesOn) {
            int kept = 0;
            for (int i = 0; i < text.length();) {
                int code = text.codePointAt(i);
                int end = i + Character.charCount(code);
                if (code != replacement) {
                    while (i < end) {
                        text.setCharAt(kept++, text.charAt(i++));
                    }
                } else if (!first || !dropsFirst) {
                    text.setCharAt(kept++, ' ');
                }
                i = end;
            }
            text.setLength(kept);
            next.take(text, goesOn);
        }
    }

    static final class WordPiece extends Counting {
        private static final String[] CLEAN = {" .", ".", " ?", "?", " !", "!", " ,", ",", " ' ", "'", " n't", "n't", " 'm",
            "'m", " do not", " don't", " 's", "'s", " 've", "'ve", " 're", "'re"};

        private final String prefix;
        private final boolean cleansUp;

        WordPiece(String prefix, boolean cleansUp) {
            this.prefix = prefix;
            this.cleansUp = cleansUp;
        }

        @Override
        void change(StringBuilder text, boolean first, boolean goesOn) {
            if (!first && text.indexOf(prefix) == 0) {
                text.delete(0, prefix.length());
            } else if (!first) {
                text.insert(0, ' ');
            }
            for (int i = 0; cleansUp && i < CLEAN.length; i += 2) {
                replace(text, CLEAN[i], CLEAN[i + 1]);
            }
            next.take(text, goesOn);
        }
    }

    /** Puts another text, which is not longer, for each occurrence. */
    private static void replace(StringBuilder text, String old, String by) {
        int at = text.indexOf(old);
        int kept = at;
        while (at >= 0) {
            for (int i = 0; i < by.length(); i++) {
                text.setCharAt(kept++, by.charAt(i));
            }
            int read = at + old.length();
            at = text.indexOf(old, read);
            int end = at < 0 ? text.length() : at;
            while (read < end) {
                text.setCharAt(kept++, text.charAt(read++));
            }
            if (at < 0) {
                text.setLength(kept);
            }
        }
    }

    static final class Suffix extends DecoderStep {
        private final String suffix;
        /** The last token, which may be the last of all. */
        private final StringBuilder last = new StringBuilder();
        private boolean held;

        Suffix(String suffix) {
            this.suffix = suffix;
        }

        @Override
        void begin() {
            held = false;
            super.begin();
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            pass(" ");
            last.setLength(0);
            last.append(text);
            held = true;
        }

        private void pass(String by) {
            if (held) {
                replace(last, suffix, by);
                next.take(last, false);
                held = false;
            }
        }

        @Override
        void end() {
            pass("");
            super.end();
        }
    }

    static final class Strip extends DecoderStep {
        private final int content;
        private final int start;
        private final int stop;
        /** How many may still go at the begin, and are held back as they may be the end. */
        private int left;
        private int held;
        private final StringBuilder kept = new StringBuilder();

        Strip(int content, int start, int stop) {
            this.content = content;
            this.start = start;
            this.stop = stop;
        }

        @Override
        void begin() {
            held = 0;
            super.begin();
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            if (!goesOn) {
                left = start;
                held = 0;
            }
            kept.setLength(0);
            for (int i = 0; i < text.length();) {
                int code = text.codePointAt(i);
                i += Character.charCount(code);
                if (code == content && left > 0) {
                    left--;
                } else if (code == content && held < stop) {
                    left = 0;
                    held++;
                } else {
                    left = 0;
                    for (; held > 0 && code != content; held--) {
                        Utf8Text.append(kept, content);
                    }
                    Utf8Text.append(kept, code);
                }
            }
            next.take(kept, goesOn);
        }
    }

    static final class Replace extends DecoderStep {
        private final Normalizer.Replace replace;
        private final Scratch scratch = new Scratch();

        Replace(Normalizer.Replace replace) {
            this.replace = replace;
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            String by = replace.content();
            int[] literal = replace.compiled().literal;
            if (literal != null && literal.length == 1 && literal[0] < 0x10000 && by.length() == 1) {
                for (int i = 0; i < text.length(); i++) {
                    if (text.charAt(i) == literal[0]) {
                        text.setCharAt(i, by.charAt(0));
                    }
                }
            } else {
                scratch.begin(text.length());
                scratch.text.read(text, false);
                replace.normalize(scratch, scratch.text);
                text.setLength(0);
                for (int i = 0; i < scratch.text.size; i++) {
                    Utf8Text.append(text, scratch.text.codes[i]);
                }
            }
            next.take(text, goesOn);
        }
    }
}
