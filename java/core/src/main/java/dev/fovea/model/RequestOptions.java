package dev.fovea.model;

import dev.fovea.model.generation.TokenRequest;
import java.time.Duration;
import java.util.Objects;

/**
 * How urgent an answer is, where several callers share a model. Changes when it is written, not what. Immutable; each
 * {@code with…} gives a copy.
 *
 * @param priority answers of a higher priority are begun first, and make one of a lower priority wait if there is no other
 *     room; among equals, who came first goes first
 * @param timeLimit from the call on; an answer that is not complete by then ends with {@link GeneratedText.Finish#TIMEOUT}.
 *     Null for none.
 */
public record RequestOptions(int priority, Duration timeLimit) {
    private static final RequestOptions DEFAULTS = new RequestOptions(0, null);

    /**
     * Checks the limit.
     *
     * @throws IllegalArgumentException if it is negative
     */
    public RequestOptions {
        if (timeLimit != null && timeLimit.isNegative()) {
            throw new IllegalArgumentException("time_limit must not be negative, got " + timeLimit);
        }
    }

    /** Priority 0, no limit. */
    public static RequestOptions defaults() {
        return DEFAULTS;
    }

    /** A copy of another priority. */
    public RequestOptions withPriority(int priority) {
        return new RequestOptions(priority, timeLimit);
    }

    /** A copy that ends in time. */
    public RequestOptions withTimeLimit(Duration timeLimit) {
        return new RequestOptions(priority, Objects.requireNonNull(timeLimit, "timeLimit"));
    }

    /** When the limit of a call that begins now is reached, in nanoseconds of {@link System#nanoTime()}. */
    long deadline() {
        if (timeLimit == null) {
            return TokenRequest.NEVER;
        }
        long most = Long.MAX_VALUE / 2;
        long deadline = System.nanoTime() + (timeLimit.compareTo(Duration.ofNanos(most)) < 0 ? timeLimit.toNanos() : most);
        return deadline == TokenRequest.NEVER ? deadline - 1 : deadline;
    }
}
