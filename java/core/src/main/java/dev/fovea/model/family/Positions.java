package dev.fovea.model.family;

import dev.fovea.ops.Rope;
import java.util.List;
import java.util.Objects;

/** How a token's position enters. */
public sealed interface Positions {
    /** Vectors that are added to embeddings, or null. */
    default Learned learned() {
        return null;
    }

    /** Not at all, or by a causal mask alone: Haviv et al., arXiv:2203.16634. */
    record None() implements Positions {}

    /**
     * Learned vectors are added to embeddings: Gehring et al., arXiv:1705.03122; BERT, arXiv:1810.04805.
     *
     * @param rows of the table
     * @param first the row of the first token: 0, or 2 in RoBERTa, arXiv:1907.11692, where padding takes those before
     */
    record Learned(int rows, int first) implements Positions {
        @Override
        public Learned learned() {
            return this;
        }

        /** Checks that there is a row for the first token. */
        public Learned {
            if (first < 0 || first >= rows) {
                throw new IllegalArgumentException(
                        "expected the first position as one of " + rows + " rows, got " + first);
            }
        }
    }

    /** Sines and cosines are added to embeddings: Vaswani et al., arXiv:1706.03762, section 3.5. */
    record Sinusoidal() implements Positions {}

    /**
     * Queries and keys are turned: Su et al., arXiv:2104.09864.
     *
     * @param theta the base of the wavelengths: 10 000 in the paper
     * @param dim elements of a head that are turned, from the first on; even
     * @param pairing which two elements make a pair
     * @param scaling of the frequencies, for long texts
     */
    record Rotary(double theta, int dim, Rope.Layout pairing, RopeScaling scaling) implements Positions {
        /** Checks the values. */
        public Rotary {
            if (!(theta > 0 && theta < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("RoPE theta must be above 0, got " + theta);
            }
            if (dim < 2 || dim % 2 != 0) {
                throw new IllegalArgumentException("expected RoPE on an even number of elements, got " + dim);
            }
            Objects.requireNonNull(pairing, "pairing");
            Objects.requireNonNull(scaling, "scaling");
        }

        /** Of halves of a head, as in Llama, and not scaled. */
        public static Rotary of(double theta, int dim) {
            return new Rotary(theta, dim, Rope.Layout.HALF, new RopeScaling.None());
        }

        /** A copy with other frequencies. */
        public Rotary withScaling(RopeScaling scaling) {
            return new Rotary(theta, dim, pairing, scaling);
        }
    }

    /**
     * Layers turn by different bases in turn, as those of ModernBERT that see all tokens and those that see a window:
     * Warner et al., arXiv:2412.13663; or some not at all, as in SmolLM 3: Yang et al., arXiv:2501.18795.
     *
     * @param kinds {@link Rotary} or {@link None} for the layers in turn, from the first again when they are fewer than
     *     the layers
     */
    record RotaryInTurn(List<Positions> kinds) implements Positions {
        /** Checks that there are some, and of these kinds. */
        public RotaryInTurn {
            kinds = List.copyOf(kinds);
            if (kinds.isEmpty()) {
                throw new IllegalArgumentException("expected at least 1 RoPE, got 0");
            }
            for (Positions kind : kinds) {
                if (!(kind instanceof Rotary) && !(kind instanceof None)) {
                    throw new IllegalArgumentException("expected a RoPE or none for each layer, got " + kind);
                }
            }
        }
    }

    /** Distance, times a slope per head, is subtracted from scores: Press et al., arXiv:2108.12409. */
    record LinearBias() implements Positions {}

    /**
     * What distances are worth to a query and to a key, by vectors that are learned once for all layers, is added to
     * scores: DeBERTa, He et al., arXiv:2006.03654, section 3.1, and arXiv:2111.09543.
     *
     * @param span buckets on each side: half the rows of the table
     * @param logarithmic whether far distances share buckets
     * @param maxDistance of those
     * @param byQuery whether queries weigh distances (c2p)
     * @param byKey whether keys do (p2c)
     * @param normed whether the vectors are normalised
     * @param absolute learned vectors that are added to embeddings besides, or null
     */
    record Disentangled(int span, boolean logarithmic, int maxDistance, boolean byQuery, boolean byKey, boolean normed,
            Learned absolute) implements Positions {
        /** Checks that distances count. */
        public Disentangled {
            if (!byQuery && !byKey || span < 1) {
                throw new IllegalArgumentException("expected distances that queries or keys weigh, and a span of at"
                        + " least 1, got " + span);
            }
        }

        @Override
        public Learned learned() {
            return absolute;
        }
    }

    /**
     * A learned number for each head and bucket of distances is added to scores: T5, Raffel et al., arXiv:1910.10683,
     * section 2.1, where all layers share them.
     *
     * @param buckets 32 in T5
     * @param maxDistance from which on all distances share a bucket: 128 in T5
     * @param absolute learned vectors that are added to embeddings besides, as in MPNet, arXiv:2004.09297; or null
     */
    record RelativeBias(int buckets, int maxDistance, Learned absolute) implements Positions {
        /** Without positions in the embeddings. */
        public RelativeBias(int buckets, int maxDistance) {
            this(buckets, maxDistance, null);
        }

        @Override
        public Learned learned() {
            return absolute;
        }
    }
}
