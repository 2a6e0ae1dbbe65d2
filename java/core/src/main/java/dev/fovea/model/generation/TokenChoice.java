package dev.fovea.model.generation;

import java.lang.foreign.MemorySegment;

/**
 * How the tokens of a request are chosen, where more than {@link Sampling} has a say in it. Called by who leads, one call
 * after the other, once for each token that is written: also where tokens were guessed, and where a request had to wait again.
 * What is thrown ends this request alone.
 */
@FunctionalInterface
public interface TokenChoice {
    /** By the sampler alone. */
    TokenChoice PLAIN = Sampler::next;

    /**
     * Chooses a token.
     *
     * @param row F32 [vocabulary], the logits
     */
    int next(Sampler sampler, MemorySegment row);

    /** Prepares a sampler, which has served others, before it serves this request. */
    default void begin(Sampler sampler) {}

    /** Whether nothing may follow the token that was chosen last, which is not one that ends a text. */
    default boolean isComplete() {
        return false;
    }
}
