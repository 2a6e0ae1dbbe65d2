package dev.fovea.model.generation;

/** Writes the tokens of requests: {@link #submit}, then {@link #await} until the request has ended, then {@link #leave}. */
public interface TokenWriter {
    /**
     * Takes a request. A call of {@link #leave} must follow.
     *
     * @throws java.util.concurrent.RejectedExecutionException if there are as many as it takes
     * @throws IllegalStateException if it is closed
     */
    void submit(TokenRequest request);

    /**
     * Waits until a request has more tokens than {@code heard}, or has ended; meanwhile the caller may work. Ends it when its
     * time is over or the calling thread is interrupted, which stays so.
     *
     * @return the tokens that it has
     */
    int await(TokenRequest request, int heard);

    /** Takes leave of a request; one that has not ended is cancelled. */
    void leave(TokenRequest request);
}
