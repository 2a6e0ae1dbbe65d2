package dev.fovea.internal.backend;

import dev.fovea.ops.AttentionSpec;
import java.util.List;

/**
 * What a batch may hold, whatever the capacity of the execution.
 *
 * @param vocabulary ids are below it; −1 if ids are not read
 * @param firstPosition the position of a sequence's first token
 * @param positions positions that there are, those before the first included
 * @param maxTokens tokens of a sequence in one run
 */
public record BatchLimits(int vocabulary, int firstPosition, long positions, int maxTokens) {
    /** The limits of all steps together, and of the caller's own. */
    public static BatchLimits of(List<Step> steps, int maxTokens) {
        int vocabulary = -1;
        int firstPosition = 0;
        long positions = Long.MAX_VALUE;
        for (Step step : steps) {
            if (step instanceof Step.Embedding embedding) {
                int words = (int) embedding.words().size(0);
                vocabulary = vocabulary < 0 ? words : Math.min(vocabulary, words);
                if (embedding.positions() != null
                        && embedding.positions().size(0) - embedding.firstPosition() < positions - firstPosition) {
                    firstPosition = embedding.firstPosition();
                    positions = embedding.positions().size(0);
                }
            } else if (step instanceof Step.Attention attention && attention.cache() == null) {
                AttentionSpec spec = attention.spec();
                if (spec.rope() != null && spec.rope().positions() < positions - firstPosition) {
                    firstPosition = 0;
                    positions = spec.rope().positions();
                }
            }
        }
        return new BatchLimits(vocabulary, firstPosition, positions, maxTokens);
    }
}
