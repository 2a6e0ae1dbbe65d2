package dev.fovea.model;

/** Hears of tokens as they become certain. */
@FunctionalInterface
public interface TokenListener {
    /**
     * A token that comes next in a target, called in the order of the target by the thread that generates.
     *
     * @param sequence which of the sources it belongs to
     * @param token its id
     */
    void token(int sequence, int token);
}
