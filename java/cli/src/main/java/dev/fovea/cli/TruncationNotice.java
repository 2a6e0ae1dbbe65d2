package dev.fovea.cli;

import dev.fovea.model.TextEmbedding;
import java.io.PrintWriter;
import java.util.List;

/** Counts the texts that a model read only in part, so that no text is cut silently. */
final class TruncationNotice {
    private final String unit;
    private final int maxTokens;
    private long seen;
    private long cut;
    private long firstCut;

    /** Counts texts of a model that takes {@code maxTokens} tokens; {@code unit} says what a text came as. */
    TruncationNotice(String unit, int maxTokens) {
        this.unit = unit;
        this.maxTokens = maxTokens;
    }

    /** Counts the next texts. */
    void add(List<TextEmbedding> embeddings) {
        for (TextEmbedding embedding : embeddings) {
            seen++;
            if (embedding.truncated() && ++cut == 1) {
                firstCut = seen;
            }
        }
    }

    /** Writes one line if any text was cut. */
    void print(PrintWriter err) {
        if (cut > 0) {
            err.println("fovea: cut " + cut + (cut == 1 ? " text" : " texts") + " to the model's " + maxTokens
                    + " tokens; the first is " + unit + " " + firstCut + " (see --on-long)");
        }
    }
}
