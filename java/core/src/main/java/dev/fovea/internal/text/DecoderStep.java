package dev.fovea.internal.text;

/** A step of decoding one text: takes tokens, and passes on what it makes of them. */
public abstract class DecoderStep {
    /** Where that goes. */
    DecoderStep next;

    /**
     * Takes a token.
     *
     * @param text the step's to change until it returns
     * @param goesOn whether it is a further part of the last token
     */
    abstract void take(StringBuilder text, boolean goesOn);

    /** Passes on what is held back: there are no more tokens. */
    void end() {
        next.end();
    }

    /** Forgets all tokens. */
    void begin() {
        next.begin();
    }
}
