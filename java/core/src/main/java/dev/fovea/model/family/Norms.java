package dev.fovea.model.family;

import java.util.Objects;

/**
 * How vectors are normalised, and where.
 *
 * @param kind how
 * @param place where in a layer
 * @param epsilon what is added to the variance or mean square
 * @param bias whether layer norms shift
 * @param gammaFromOne whether weights stand for their distance from 1, as in Gemma, arXiv:2403.08295
 * @param afterEmbeddings whether there is one behind the embeddings, as in BERT, arXiv:1810.04805
 * @param afterLast whether there is one behind the last layer
 * @param beforeFirst whether the attention of the first layer has one, which makes a difference to BEFORE alone: not in
 *     ModernBERT, arXiv:2412.13663, where embeddings are normalised already
 */
public record Norms(Kind kind, Place place, float epsilon, boolean bias, boolean gammaFromOne,
        boolean afterEmbeddings, boolean afterLast, boolean beforeFirst) {
    /** How a norm is computed. */
    public enum Kind {
        /** To mean 0 and variance 1: Ba et al., arXiv:1607.06450. */
        LAYER,
        /** To mean square 1: Zhang and Sennrich, arXiv:1910.07467. */
        RMS
    }

    /** Where norms stand; f is a sub-layer. */
    public enum Place {
        /** {@code x + f(norm(x))}: Xiong et al., arXiv:2002.04745. */
        BEFORE,
        /** {@code norm(x + f(x))}: Vaswani et al., arXiv:1706.03762. */
        AFTER,
        /** {@code x + norm₂(f(norm₁(x)))}: Ding et al., arXiv:2105.13290; Gemma 2, arXiv:2408.00118. */
        SANDWICH,
        /** {@code x + attention(norm₁(x)) + feedForward(norm₂(x))}: GPT-NeoX, Black et al., arXiv:2204.06745. */
        PARALLEL
    }

    /** Checks the values. */
    public Norms {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(place, "place");
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be finite and not negative, got " + epsilon);
        }
        if (bias && kind == Kind.RMS) {
            throw new IllegalArgumentException("expected no bias with norms of kind RMS, got one");
        }
        if (!beforeFirst && place != Place.BEFORE) {
            throw new IllegalArgumentException("expected a norm in the first attention of place " + place + ", got none");
        }
    }

    /** Whether the attention of a layer has a norm. */
    boolean before(int layer) {
        return layer > 0 || beforeFirst;
    }

    /** With a norm in every layer. */
    public Norms(Kind kind, Place place, float epsilon, boolean bias, boolean gammaFromOne, boolean afterEmbeddings,
            boolean afterLast) {
        this(kind, place, epsilon, bias, gammaFromOne, afterEmbeddings, afterLast, true);
    }

    /** As kind and place have it by custom: layer norms with a bias, and one behind the last layer unless AFTER. */
    public static Norms of(Kind kind, Place place, float epsilon) {
        return new Norms(kind, place, epsilon, kind == Kind.LAYER, false, false, place != Place.AFTER);
    }
}
