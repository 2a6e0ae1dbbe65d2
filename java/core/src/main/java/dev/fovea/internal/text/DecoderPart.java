package dev.fovea.internal.text;

/** A part of what makes text of tokens. The names are the library's. */
public sealed interface DecoderPart {
    /** The step that does it. */
    DecoderStep step();

    /** Whether it takes a token that comes in parts, as those come of which several were made one. */
    default boolean takesParts() {
        return false;
    }

    /** Whether what it gives comes in parts. */
    default boolean givesParts() {
        return false;
    }

    /** Characters stand for bytes, as GPT-2 spells them; all tokens become one. */
    record Bytes() implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new ByteSteps.Spelled();
        }

        @Override
        public boolean givesParts() {
            return true;
        }
    }

    /** Tokens such as {@code <0x0A>} stand for the bytes of that; those in a row become one token. */
    record ByteFallback() implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new ByteSteps.Named();
        }

        @Override
        public boolean givesParts() {
            return true;
        }
    }

    /** All tokens become one. */
    record Fuse() implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Fuse();
        }

        @Override
        public boolean takesParts() {
            return true;
        }

        @Override
        public boolean givesParts() {
            return true;
        }
    }

    /**
     * A character becomes a space.
     *
     * @param dropsFirst whether it goes where it is of the first token
     */
    record Metaspace(int replacement, boolean dropsFirst) implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Metaspace(replacement, dropsFirst);
        }

        @Override
        public boolean takesParts() {
            return true;
        }
    }

    /**
     * Tokens without the prefix begin a word.
     *
     * @param cleansUp whether spaces before punctuation go
     */
    record WordPiece(String prefix, boolean cleansUp) implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.WordPiece(prefix, cleansUp);
        }
    }

    /** A suffix ends a word. */
    record Suffix(String suffix) implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Suffix(suffix);
        }
    }

    /** So many of a character at the begin of a token, and at its end, go. */
    record Strip(int content, int start, int stop) implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Strip(content, start, stop);
        }

        @Override
        public boolean takesParts() {
            return true;
        }
    }

    /** Another text for each match in a token. */
    record Replace(Normalizer.Replace replace) implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Replace(replace);
        }

        @Override
        public boolean takesParts() {
            return replace.compiled().literal != null && replace.compiled().literal.length == 1;
        }
    }

    /** Spaces between tokens, where nothing else is said. */
    record Spaces() implements DecoderPart {
        @Override
        public DecoderStep step() {
            return new DecoderSteps.Spaces();
        }
    }
}
