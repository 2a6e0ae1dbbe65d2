package dev.fovea.internal.text;

import java.nio.charset.StandardCharsets;
import java.util.List;

/** The bytes of UTF-8 that a token adds to a text, by itself: for vocabularies whose tokens do not change each other's text. */
public final class TokenBytes {
    private final TokenTexts texts;
    private final List<DecoderPart> parts;

    /** Of what a file says; see {@link #isKnown}. */
    public TokenBytes(TokenTexts texts, List<DecoderPart> parts) {
        this.texts = texts;
        this.parts = parts;
    }

    /** Whether a token stands for the same bytes wherever it stands, but for a space at the begin of a text. */
    public boolean isKnown() {
        return parts.stream().allMatch(part -> switch (part) {
            case DecoderPart.Bytes _, DecoderPart.ByteFallback _, DecoderPart.Fuse _, DecoderPart.Metaspace _ -> true;
            case DecoderPart.Replace replace -> replace.takesParts();
            case DecoderPart.Strip strip -> strip.content() == ' ' && strip.start() <= 1 && strip.stop() == 0;
            case DecoderPart.WordPiece _, DecoderPart.Suffix _, DecoderPart.Spaces _ -> false;
        });
    }

    /** Whether a space goes with which the first token of a text begins. */
    public boolean dropsFirstSpace() {
        return parts.stream().anyMatch(part -> part instanceof DecoderPart.Metaspace(int _, boolean drops) && drops
                || part instanceof DecoderPart.Strip(int _, int start, int _) && start > 0);
    }

    /** Those of a token; none of one that is not text, or of an id without a token. */
    public byte[] of(int id) {
        StringBuilder token = new StringBuilder();
        if (texts.isSpecial(id) || !texts.append(id, token)) {
            return new byte[0];
        }
        String text = token.toString();
        byte[] bytes = null;
        for (DecoderPart part : parts) {
            switch (part) {
                case DecoderPart.Bytes _ -> bytes = texts.isAdded(id) ? null : spelled(text);
                case DecoderPart.ByteFallback _ -> bytes = named(text);
                case DecoderPart.Metaspace(int replacement, boolean _) -> text = text.replace(Character.toString(replacement), " ");
                case DecoderPart.Replace(Normalizer.Replace replace) -> text =
                        text.replace(Character.toString(replace.compiled().literal[0]), replace.content());
                default -> {
                    // Nothing that changes a token by itself.
                }
            }
            if (bytes != null) {
                return bytes;
            }
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Null if a character stands for no byte. */
    private static byte[] spelled(String text) {
        byte[] bytes = new byte[text.length()];
        for (int i = 0; i < bytes.length; i++) {
            int b = ByteCharacters.byteOf(text.charAt(i));
            if (b < 0) {
                return null;
            }
            bytes[i] = (byte) b;
        }
        return bytes;
    }

    /** Of a token such as {@code <0x0A>}, else null. */
    private static byte[] named(String text) {
        int b = ByteSteps.Named.byteOf(new StringBuilder(text));
        return b < 0 ? null : new byte[] {(byte) b};
    }
}
