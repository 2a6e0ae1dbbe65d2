package dev.fovea.model.sentence;

import java.nio.file.Path;
import java.util.Locale;

/** What a model's {@code modules.json} puts behind its pooling. */
public sealed interface SentenceModule {
    /** Components of the vectors that it yields, of those of {@code inputs} components. */
    int outputs(int inputs);

    /** In a few words, such as {@code Dense(384 → 128, tanh)}. */
    String describe();

    /** Divides a vector by its length. */
    record Normalize() implements SentenceModule {
        @Override
        public int outputs(int inputs) {
            return inputs;
        }

        @Override
        public String describe() {
            return "Normalize";
        }
    }

    /**
     * Layer normalisation of a vector: Ba et al., arXiv:1607.06450, with an epsilon of 1e-5.
     *
     * @param weights the file that has {@code norm.weight} and {@code norm.bias}
     */
    record LayerNorm(Path weights, int dimension) implements SentenceModule {
        @Override
        public int outputs(int inputs) {
            return inputs;
        }

        @Override
        public String describe() {
            return "LayerNorm";
        }
    }

    /**
     * A linear layer and an activation.
     *
     * @param weights the file that has its weight [outputs, inputs] and its bias [outputs]
     * @param name what stands before {@code .weight} and {@code .bias}
     */
    record Dense(Path weights, String name, int inputs, int outputs, boolean bias, DenseActivation activation)
            implements SentenceModule {
        @Override
        public int outputs(int inputs) {
            return outputs;
        }

        @Override
        public String describe() {
            return "Dense(" + inputs + " → " + outputs + ", " + activation.name().toLowerCase(Locale.ROOT) + ")";
        }
    }
}
