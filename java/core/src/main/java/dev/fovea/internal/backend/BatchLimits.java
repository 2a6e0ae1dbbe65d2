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
 * @param types token types are below it; 0 if they are not read
 */
public record BatchLimits(int vocabulary, int firstPosition, long positions, int maxTokens, int types) {
    /** The limits of all steps together, and of the caller's own. */
    public static BatchLimits of(List<Step> steps, int maxTokens) {
        int vocabulary = -1;
        int firstPosition = 0;
        long positions = Long.MAX_VALUE;
        int longest = maxTokens;
        int types = 0;
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
                if (attention.bias() != null) {
                    longest = Math.min(longest, attention.bias().columns() / spec.heads());
                }
            } else if (step instanceof Step.RelativeBias bias) {
                longest = Math.min(longest, bias.buckets().keys());
                if (bias.cache() != null && bias.buckets().keys() < positions - firstPosition) {
                    firstPosition = 0;
                    positions = bias.buckets().keys();
                }
            } else if (step instanceof Step.TokenTypes typed) {
                int rows = (int) typed.table().size(0);
                types = types == 0 ? rows : Math.min(types, rows);
            }
        }
        return new BatchLimits(vocabulary, firstPosition, positions, longest, types);
    }
}
