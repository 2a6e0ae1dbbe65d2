package dev.fovea.text;

import dev.fovea.internal.text.AddedToken;
import dev.fovea.internal.text.DecoderPart;
import dev.fovea.internal.text.TokenText;
import dev.fovea.internal.text.TokenTexts;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import java.util.List;

/**
 * What a tokenizer's file says of how tokens become text. It is looked at when it is first asked for, since an encoder
 * never asks. Safe to share between threads.
 */
final class Decoding {
    private final Vocabulary vocabulary;
    private final List<AddedToken> added;
    private final JsonFields json;
    private final int vocabularySize;
    private volatile Rules rules;

    /**
     * How tokens become text.
     *
     * @param problem why they cannot; null if they can
     */
    private record Rules(TokenTexts texts, List<DecoderPart> parts, FormatException problem) {}

    /**
     * Takes the parts of a file.
     *
     * @param json has the file's {@code decoder}, if there is one
     */
    Decoding(Vocabulary vocabulary, List<AddedToken> added, JsonFields json, int vocabularySize) {
        this.vocabulary = vocabulary;
        this.added = added;
        this.json = json;
        this.vocabularySize = vocabularySize;
    }

    /** See {@link Tokenizer#decoder(boolean)}. */
    TokenDecoder decoder(boolean keepsSpecial) {
        Rules known = rules();
        if (known.problem != null) {
            throw new IllegalStateException("tokens cannot become text: " + known.problem.getMessage(), known.problem);
        }
        return new TokenDecoder(new TokenText(known.texts, known.parts, keepsSpecial), vocabularySize);
    }

    boolean isSpecial(int id) {
        return rules().texts.isSpecial(id);
    }

    private Rules rules() {
        Rules known = rules;
        return known != null ? known : read();
    }

    /** A file whose decoder is not supported can still be loaded, for it can encode. */
    private synchronized Rules read() {
        if (rules == null) {
            TokenTexts texts = new TokenTexts(vocabulary, added);
            try {
                rules = new Rules(texts, DecoderReader.read(json), null);
            } catch (FormatException e) {
                rules = new Rules(texts, List.of(), e);
            }
        }
        return rules;
    }
}
