package dev.fovea.model;

/**
 * An answer in a chat that is to be written.
 *
 * @param chat what it answers
 * @param ids of the chat's text, and of the begin
 * @param options how it is written
 * @param isOpen whether the chat's text ends with the begin of thoughts
 * @param begin the begin of a call that the model has not to write; else empty
 * @param calls where calls of tools may stand
 */
record ExpectedAnswer(Chat chat, int[] ids, SamplingOptions options, boolean isOpen, String begin, Calls calls) {
    /** Where calls of tools may stand in an answer, behind thoughts. */
    enum Calls {
        /** Nothing is one. */
        NONE,
        /** What looks like one is one, with or without a text before it. */
        AMONG,
        /** The answer is a call or has the form that the options say. */
        INSTEAD
    }
}
