package dev.fovea.model;

/**
 * What is known of an answer before the model writes it.
 *
 * @param chat what it answers
 * @param ids what the model goes on with
 * @param options how it is written
 * @param isOpen whether the chat's text ends with the begin of thoughts
 * @param begin the begin of a call that the model has not to write; else empty
 * @param hasCalls whether what looks like a call of a tool is one
 * @param call how a call looks where the answer is one, behind thoughts, or has another form; else null
 */
record ExpectedAnswer(Chat chat, int[] ids, SamplingOptions options, boolean isOpen, String begin, boolean hasCalls,
        OutputFormat call) {}
