package dev.fovea.bench.attention;

import java.util.Objects;
import java.util.OptionalDouble;

/**
 * What an attention does beside softmax(q·kᵀ/√head_dim)·v. Immutable; each {@code with…} gives a copy.
 *
 * @param causal whether query i sees the keys 0 to i only, however many keys there are: aligned at the top left
 * @param mask the mask; {@code null} for none
 * @param scale the factor of q·kᵀ; empty for 1/√head_dim
 */
record AttentionOptions(boolean causal, AttentionMask mask, OptionalDouble scale) {
    /** Every query sees every key. */
    static AttentionOptions defaults() {
        return new AttentionOptions(false, null, OptionalDouble.empty());
    }

    AttentionOptions withCausal() {
        return new AttentionOptions(true, mask, scale);
    }

    AttentionOptions withMask(AttentionMask mask) {
        return new AttentionOptions(causal, Objects.requireNonNull(mask, "mask"), scale);
    }

    AttentionOptions withScale(double scale) {
        return new AttentionOptions(causal, mask, OptionalDouble.of(scale));
    }
}
