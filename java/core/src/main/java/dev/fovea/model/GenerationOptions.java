package dev.fovea.model;

/**
 * How a decoder writes. Immutable; each {@code with…} gives a copy.
 *
 * @param startId the token that a target begins with; not read by a model without an encoder, which goes on with its
 *     prompt
 * @param endId the token that ends a target; it is not part of what is returned
 * @param maxTokens how many tokens are written at most, the end not counted
 * @param beams how many hypotheses are followed at once, at most {@value #MAX_BEAMS}; 1 is greedy search
 * @param lengthPenalty α of {@code log P(Y) / ((5 + |Y|)^α / 6^α)}, by which finished hypotheses are compared; 0 for
 *     none: Wu et al., arXiv:1609.08144, section 7. Without effect on greedy search.
 */
public record GenerationOptions(int startId, int endId, int maxTokens, int beams, double lengthPenalty) {
    /** The most beams: a step looks at twice as many of the likeliest tokens, which the decoder picks out. */
    public static final int MAX_BEAMS = 64;

    /**
     * Validates the values.
     *
     * @throws IllegalArgumentException naming the value
     */
    public GenerationOptions {
        if (startId < 0) {
            throw new IllegalArgumentException("start_id must be at least 0, got " + startId);
        }
        if (endId < 0) {
            throw new IllegalArgumentException("end_id must be at least 0, got " + endId);
        }
        if (maxTokens < 1) {
            throw new IllegalArgumentException("max_tokens must be at least 1, got " + maxTokens);
        }
        if (beams < 1 || beams > MAX_BEAMS) {
            throw new IllegalArgumentException("beams must be 1 to " + MAX_BEAMS + ", got " + beams);
        }
        if (!(lengthPenalty >= 0 && lengthPenalty < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("length_penalty must be finite and not negative, got " + lengthPenalty);
        }
    }

    /** Greedy search. */
    public static GenerationOptions greedy(int startId, int endId, int maxTokens) {
        return new GenerationOptions(startId, endId, maxTokens, 1, 0);
    }

    /** A copy that follows several hypotheses. */
    public GenerationOptions withBeams(int beams, double lengthPenalty) {
        return new GenerationOptions(startId, endId, maxTokens, beams, lengthPenalty);
    }
}
