package dev.fovea.internal.text;

import dev.fovea.internal.files.Utf8;

/** Steps of decoding that make text of bytes. A character is held back until it has all of its bytes. */
final class ByteSteps {
    private ByteSteps() {}

    /** Characters that stand for bytes. A token that has another one is text, and so is an added token. */
    static final class Spelled extends DecoderStep {
        private final Utf8Text bytes = new Utf8Text(false);
        private final StringBuilder decoded = new StringBuilder();
        private boolean started;
        private boolean nextIsText;

        /** Says whether the next token is text as it is. */
        void nextIsText(boolean isText) {
            nextIsText = isText;
        }

        @Override
        void begin() {
            bytes.begin();
            started = false;
            super.begin();
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            boolean spelled = !nextIsText;
            for (int i = 0; spelled && i < text.length(); i++) {
                spelled = ByteCharacters.byteOf(text.charAt(i)) >= 0;
            }
            for (int i = 0; spelled && i < text.length(); i++) {
                bytes.put(ByteCharacters.byteOf(text.charAt(i)), decoded);
            }
            for (int i = 0; !spelled && i < text.length();) {
                int code = text.codePointAt(i);
                int length = Utf8.bytes(code);
                for (int k = 0; k < length; k++) {
                    bytes.put(PairMerges.utf8(code, length, k), decoded);
                }
                i += Character.charCount(code);
            }
            pass();
        }

        private void pass() {
            next.take(decoded, started);
            decoded.setLength(0);
            started = true;
        }

        @Override
        void end() {
            bytes.end(decoded);
            pass();
            super.end();
        }
    }

    /** Tokens that are named for bytes. */
    static final class Named extends DecoderStep {
        private final Utf8Text bytes = new Utf8Text(true);
        private final StringBuilder decoded = new StringBuilder();
        /** Whether the last token was such a one, and whether something of its row was passed on. */
        private boolean inRow;
        private boolean started;

        @Override
        void begin() {
            bytes.begin();
            inRow = false;
            super.begin();
        }

        @Override
        void take(StringBuilder text, boolean goesOn) {
            int b = byteOf(text);
            if (b < 0) {
                endRow();
                next.take(text, false);
                return;
            }
            started &= inRow;
            inRow = true;
            bytes.put(b, decoded);
            pass();
        }

        private void pass() {
            if (!decoded.isEmpty()) {
                next.take(decoded, started);
                decoded.setLength(0);
                started = true;
            }
        }

        private void endRow() {
            if (inRow) {
                bytes.end(decoded);
                pass();
                inRow = false;
            }
        }

        /** The byte that a token is named for, or −1. */
        static int byteOf(StringBuilder token) {
            if (token.length() != 6 || token.charAt(0) != '<' || token.charAt(1) != '0' || token.charAt(2) != 'x'
                    || token.charAt(5) != '>') {
                return -1;
            }
            int high = token.charAt(3) == '+' ? 0 : digit(token.charAt(3)); // a sign is a number's, for the library
            int low = digit(token.charAt(4));
            return high < 0 || low < 0 ? -1 : high << 4 | low;
        }

        private static int digit(char c) {
            return c < 0x80 ? Character.digit(c, 16) : -1;
        }

        @Override
        void end() {
            endRow();
            super.end();
        }
    }
}
