package dev.fovea.model;

/** Is told of tokens as they are certain. */
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
