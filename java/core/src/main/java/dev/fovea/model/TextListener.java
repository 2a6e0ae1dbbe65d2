package dev.fovea.model;

import dev.fovea.model.GeneratedText.Alternative;
import java.util.List;

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
     * The logarithm of the probability of the token that is told next, by the logits as the model gave them; called if the options
     * ask for log probabilities.
     *
     * @param alternatives the tokens that were likeliest in its place, the likeliest first; empty unless asked for
     */
    default void probability(float logProbability, List<Alternative> alternatives) {}
}
