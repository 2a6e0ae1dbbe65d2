package dev.fovea.text;

import dev.fovea.internal.text.DecoderPart;
import dev.fovea.internal.text.TokenBytes;
import dev.fovea.internal.text.TokenText;
import dev.fovea.internal.text.TokenTexts;
import dev.fovea.weights.FormatException;
import java.util.List;

/** What a tokenizer's file says of how tokens become text. */
final class Decoding {
    private final TokenTexts texts;
    private final List<DecoderPart> parts;
    /** Why tokens cannot become text; null if they can. */
    private final FormatException problem;
    private final int vocabularySize;

    /** A file whose decoder is not supported can still be loaded, for it can encode. */
    Decoding(TokenizerFile file) {
        List<DecoderPart> read = List.of();
        FormatException unsupported = null;
        try {
            read = file.decoder();
        } catch (FormatException e) {
            unsupported = e;
        }
        this.texts = file.texts();
        this.parts = read;
        this.problem = unsupported;
        this.vocabularySize = file.vocabularySize();
    }

    /** See {@link Tokenizer#decoder(boolean)}. */
    TokenDecoder decoder(boolean keepsSpecial) {
        if (problem != null) {
            throw new IllegalStateException("tokens cannot become text: " + problem.getMessage(), problem);
        }
        return new TokenDecoder(new TokenText(texts, parts, keepsSpecial), new TokenBytes(texts, parts), vocabularySize);
    }

    boolean isSpecial(int id) {
        return texts.isSpecial(id);
    }
}
