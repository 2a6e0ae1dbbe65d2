package dev.fovea.model.family;

import java.util.List;

/**
 * How the frequencies of RoPE are changed, so that a model reads longer texts than it was first trained on. The
 * formulas of each are those of its source; Hugging Face transformers computes the same in
 * {@code modeling_rope_utils.py}.
 */
public sealed interface RopeScaling {
    /** Not at all: {@code θ^(−2i/dim)}. Su et al., arXiv:2104.09864, section 3.2.2. */
    record None() implements RopeScaling {}

    /**
     * Positions divided by a factor: Chen et al., Position Interpolation, arXiv:2306.15595.
     *
     * @param factor at least 1
     */
    record Linear(double factor) implements RopeScaling {
        /** Checks the factor. */
        public Linear {
            requireFactor(factor);
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            double[] frequencies = RopeScaling.unscaled(theta, dim);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= factor;
            }
            return frequencies;
        }
    }

    /**
     * A larger base, which keeps the highest frequency and divides the lowest by the factor: {@code θ' = θ ·
     * factor^(dim / (dim − 2))}. NTK-aware interpolation, described in Peng et al., arXiv:2309.00071, section 3.1.
     *
     * @param factor at least 1
     */
    record Ntk(double factor) implements RopeScaling {
        /** Checks the factor. */
        public Ntk {
            requireFactor(factor);
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            if (dim < 4) {
                throw new IllegalArgumentException("expected NTK scaling of at least 4 elements, got " + dim);
            }
            return RopeScaling.unscaled(theta * Math.pow(factor, dim / (dim - 2.0)), dim);
        }
    }

    /**
     * A larger base, of which the lowest frequencies are divided once more: {@code (factor θ)^(−2i/dim) /
     * factor^(2/dim)}, as mGTE, arXiv:2407.19669, has it.
     *
     * @param factor at least 1
     */
    record FixedNtk(double factor) implements RopeScaling {
        /** Checks the factor. */
        public FixedNtk {
            requireFactor(factor);
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            double[] frequencies = RopeScaling.unscaled(theta * factor, dim);
            for (int i = 0; i < frequencies.length && factor > 1; i++) {
                frequencies[i] /= Math.pow(factor, 2.0 / dim);
            }
            return frequencies;
        }
    }

    /**
     * YaRN, Peng et al., arXiv:2309.00071, section 3: pairs that turn more than {@code betaFast} times within the
     * original positions keep their frequency, those that turn less than {@code betaSlow} times have it divided by the
     * factor, and a ramp joins the two; queries and keys are multiplied by {@code attentionFactor}.
     *
     * @param factor at least 1
     * @param originalPositions tokens of the texts of the first training
     * @param betaFast 32 in the paper
     * @param betaSlow 1 in the paper
     * @param attentionFactor {@code 0.1 ln(factor) + 1} in the paper
     */
    record Yarn(double factor, int originalPositions, double betaFast, double betaSlow, double attentionFactor)
            implements RopeScaling {
        /** Checks the values. */
        public Yarn {
            requireFactor(factor);
            requirePositions(originalPositions);
            if (!(betaSlow > 0 && betaFast >= betaSlow && betaFast < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("expected beta_fast at least beta_slow " + betaSlow
                        + ", and both above 0, got " + betaFast);
            }
            requireAttentionFactor(attentionFactor);
        }

        /** With the paper's values for the rest. */
        public static Yarn of(double factor, int originalPositions) {
            return new Yarn(factor, originalPositions, 32, 1, 0.1 * Math.log(factor) + 1);
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            double[] frequencies = RopeScaling.unscaled(theta, dim);
            double low = Math.max(0, Math.floor(pairThatTurns(betaFast, theta, dim)));
            double high = Math.min(dim - 1, Math.ceil(pairThatTurns(betaSlow, theta, dim)));
            double width = low == high ? 0.001 : high - low;
            for (int i = 0; i < frequencies.length; i++) {
                double interpolated = Math.clamp((i - low) / width, 0, 1);
                frequencies[i] *= interpolated / factor + (1 - interpolated);
            }
            return frequencies;
        }

        /** The pair, not rounded, that turns this many times within the original positions. */
        private double pairThatTurns(double turns, double theta, int dim) {
            return dim * Math.log(originalPositions / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
        }
    }

    /**
     * That of Llama 3.1, Grattafiori et al., arXiv:2407.21783: wavelengths below {@code originalPositions /
     * highFrequencyFactor} stay, those above {@code originalPositions / lowFrequencyFactor} are multiplied by the
     * factor, and between them one passes smoothly into the other.
     *
     * @param factor at least 1
     * @param lowFrequencyFactor 1 in the model
     * @param highFrequencyFactor 4 in the model
     * @param originalPositions tokens of the texts of the first training
     */
    record Llama3(double factor, double lowFrequencyFactor, double highFrequencyFactor, int originalPositions)
            implements RopeScaling {
        /** Checks the values. */
        public Llama3 {
            requireFactor(factor);
            requirePositions(originalPositions);
            if (!(lowFrequencyFactor > 0 && highFrequencyFactor > lowFrequencyFactor
                    && highFrequencyFactor < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("expected high_freq_factor above low_freq_factor "
                        + lowFrequencyFactor + ", and both above 0, got " + highFrequencyFactor);
            }
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            double[] frequencies = RopeScaling.unscaled(theta, dim);
            for (int i = 0; i < frequencies.length; i++) {
                double turns = originalPositions * frequencies[i] / (2 * Math.PI);
                double kept = Math.clamp(
                        (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor), 0, 1);
                frequencies[i] *= (1 - kept) / factor + kept;
            }
            return frequencies;
        }
    }

    /**
     * Each frequency divided by a factor of its own: LongRoPE, Ding et al., arXiv:2402.13753; queries and keys are
     * multiplied by {@code attentionFactor}.
     *
     * @param factors one for each pair, above 0
     */
    record Factors(List<Double> factors, double attentionFactor) implements RopeScaling {
        /** Checks the values. */
        public Factors {
            factors = List.copyOf(factors);
            for (double factor : factors) {
                if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
                    throw new IllegalArgumentException("factors of RoPE scaling must be above 0, got " + factor);
                }
            }
            requireAttentionFactor(attentionFactor);
        }

        @Override
        public double[] frequencies(double theta, int dim) {
            if (factors.size() != dim / 2) {
                throw new IllegalArgumentException("expected a factor for each of " + dim / 2 + " pairs, got "
                        + factors.size());
            }
            double[] frequencies = RopeScaling.unscaled(theta, dim);
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] /= factors.get(i);
            }
            return frequencies;
        }
    }

    /** Radians per position of each pair, [dim / 2]. */
    default double[] frequencies(double theta, int dim) {
        return unscaled(theta, dim);
    }

    /** What queries and keys are multiplied by, each. */
    default double attentionFactor() {
        return 1;
    }

    private static double[] unscaled(double theta, int dim) {
        double[] frequencies = new double[dim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = Math.pow(theta, -2.0 * i / dim);
        }
        return frequencies;
    }

    private static void requireFactor(double factor) {
        if (!(factor >= 1 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("factor of RoPE scaling must be at least 1, got " + factor);
        }
    }

    private static void requireAttentionFactor(double factor) {
        if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("attention_factor must be above 0, got " + factor);
        }
    }

    private static void requirePositions(int positions) {
        if (positions < 1) {
            throw new IllegalArgumentException("original positions must be at least 1, got " + positions);
        }
    }
}
