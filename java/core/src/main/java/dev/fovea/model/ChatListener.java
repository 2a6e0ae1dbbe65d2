package dev.fovea.model;

import dev.fovea.model.GeneratedText.Alternative;
import java.util.List;

/**
 * Hears of a model's answer in a chat as it comes, taken apart: what it thinks, then what it says. All that it hears of a part is
 * what the {@link ChatAnswer} has of it. Calls of tools are known at the end alone; text that may be the begin of one is kept
 * until it is certain.
 */
@FunctionalInterface
public interface ChatListener {
    /** What a piece of text belongs to. */
    enum Part {
        /** What the model thinks before it answers: {@link ChatAnswer#reasoning()}. */
        REASONING,
        /** What it says: {@link ChatAnswer#content()}. */
        CONTENT
    }

    /**
     * A token, called by the thread that asked for the answer.
     *
     * @param part where the answer has got to
     * @param text what is certain now and belongs to the part; empty while there is none. Valid during the call.
     * @param token the token that was written last; −1 for text that was kept before, or if it had text of the other part too
     * @return whether to go on; false ends the answer
     */
    boolean next(Part part, CharSequence text, int token);

    /** As {@link TextListener#probability}. */
    default void probability(float logProbability, List<Alternative> alternatives) {}
}
