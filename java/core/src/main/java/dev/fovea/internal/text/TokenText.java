package dev.fovea.internal.text;

import java.util.List;

/**
 * Tokens of one text to text, as they come: what the Hugging Face library's decoders do, in plain Java. Once warm, it
 * allocates nothing.
 */
public final class TokenText {
    private final TokenTexts texts;
    private final boolean keepsSpecial;
    private final DecoderSteps.Sink sink = new DecoderSteps.Sink();
    private final DecoderStep first;
    private final StringBuilder token = new StringBuilder();

    /**
     * Begins a text.
     *
     * @param keepsSpecial whether special tokens are text too
     */
    public TokenText(TokenTexts texts, List<DecoderPart> parts, boolean keepsSpecial) {
        this.texts = texts;
        this.keepsSpecial = keepsSpecial;
        DecoderStep step = sink;
        for (DecoderPart part : parts.reversed()) {
            DecoderStep before = part.step();
            before.next = step;
            step = before;
        }
        this.first = step;
        first.begin();
    }

    /** Takes the next token, and adds the text that is certain now. */
    public void add(int id, StringBuilder to) {
        token.setLength(0);
        if ((keepsSpecial || !texts.isSpecial(id)) && texts.append(id, token)) {
            sink.to(to);
            first.take(token, false);
        }
    }

    /** Adds what is left of the text, and begins the next one. */
    public void end(StringBuilder to) {
        sink.to(to);
        first.end();
        first.begin();
    }
}
