package dev.fovea.model;

/** Hears of the text that a model writes, as it comes. */
@FunctionalInterface
public interface TextListener {
    /**
     * A token, called by the thread that asked for the text, while others go on: a slow listener delays only itself.
     *
     * @param text what is certain now: whole characters, none of which can be the beginning of a stop text any more; empty
     *     while there is none. Valid during the call.
     * @param token the token that was written last; −1 for the rest of the text behind the last one
     * @return whether to go on; false ends the answer
     */
    boolean next(CharSequence text, int token);

    /**
     * A listener of one answer that tells this one of the text behind {@code </think>}, if the answer begins with thoughts; of
     * tokens of these it hears without their texts.
     *
     * @param prompt the text of the chat ({@link TextGenerator#prompt}), which may end with the begin of thoughts
     */
    default TextListener behindThoughts(String prompt) {
        return new BehindThoughts(prompt, this);
    }
}
