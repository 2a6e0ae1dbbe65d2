package dev.fovea;

/**
 * Hears of the calls of all models on an engine, for metrics and logs: {@link EngineOptions#withListener}.
 *
 * <pre>{@code
 * var options = EngineOptions.defaults().withListener(new CallListener() {
 *     public void encoded(String model, int sequences, long tokens, long queueNanos, long runNanos) {
 *         timer.record(runNanos, TimeUnit.NANOSECONDS);
 *     }
 * });
 * }</pre>
 *
 * <p>Each method runs once per call of a model, at its end, in the caller's thread, and in many of them at once: it should
 * be short. It gets numbers alone, so that a call which allocates nothing does so with a listener too. What it throws, the
 * caller gets in place of the result. A call that is refused before its work begins, such as one on a closed model, is not
 * heard of.
 *
 * <p>Nanoseconds of the queue are those from the call to the beginning of its work: until it has memory to work in, which
 * only the first calls at a time wait for, and of a language model until it has a place in the batch. Those of the run are
 * all that follow. What {@code EncoderQueue} gathers from several callers is one call; its own listener tells how long each
 * of them waited.
 */
public interface CallListener {
    /**
     * Texts, pairs or sequences of token ids went through an encoder: they became vectors, scores, labels or terms.
     *
     * @param model the model's name
     * @param sequences how many there were
     * @param tokens how many tokens the model read of them, special tokens included
     */
    default void encoded(String model, int sequences, long tokens, long queueNanos, long runNanos) {}

    /**
     * A language model answered.
     *
     * @param model the model's name
     * @param promptTokens tokens of the prompt
     * @param keptTokens how many of these were in memory from the call before, and not read again
     * @param writtenTokens tokens of the answer
     * @param firstNanos of the run, those until the first token of the answer
     */
    default void generated(String model, int promptTokens, int keptTokens, int writtenTokens, long queueNanos, long firstNanos,
            long runNanos) {}

    /**
     * A call failed, with what the caller gets.
     *
     * @param model the model's name
     */
    default void failed(String model, Throwable failure, long queueNanos, long runNanos) {}
}
