package dev.fovea.model;

/**
 * An answer in a chat that is to be written.
 *
 * @param chat what it answers
 * @param ids of the chat's text, and of the begin
 * @param options how it is written
 * @param isOpen whether the chat's text ends with the begin of thoughts
 * @param begin the begin of a call that the model has not to write; else empty
 * @param hasCalls whether what looks like a call of a tool is one
 */
record ExpectedAnswer(Chat chat, int[] ids, SamplingOptions options, boolean isOpen, String begin, boolean hasCalls) {}
