package dev.fovea.model;

/**
 * What a language model wrote.
 *
 * @param text without a stop text
 * @param tokens all ids that it wrote, the one that ended the text among them
 * @param logProbabilities of these tokens, by the logits as the model gave them; empty unless asked for
 * @param promptTokens how many tokens it read before
 * @param finish why it ended
 */
public record GeneratedText(String text, int[] tokens, float[] logProbabilities, int promptTokens, Finish finish) {
    /** Why an answer ended. */
    public enum Finish {
        /** By a token that ends texts. */
        END,
        /** By a stop text. */
        STOP,
        /** There were as many tokens as were asked for. */
        LENGTH,
        /** The model's context was full. */
        CONTEXT,
        /** The listener did not want more, or the thread that waited was interrupted. */
        CANCELLED,
        /** The {@linkplain RequestOptions#timeLimit() time limit} was reached. */
        TIMEOUT
    }

    /** Such as {@code GeneratedText["Paris is the capital of…", 20 tokens behind 7, LENGTH]}. */
    @Override
    public String toString() {
        return "GeneratedText[" + Brief.of(text) + ", " + tokens.length + " tokens behind " + promptTokens + ", " + finish + ']';
    }
}
