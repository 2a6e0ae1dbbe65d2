package dev.fovea.model.sentence;

import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Weight;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;

/** A step from one vector of a text to the next, in double. Immutable. */
sealed interface VectorStage {
    /** What PyTorch's LayerNorm adds to the variance. */
    double EPSILON = 1e-5;

    /** Components that it yields of a vector of {@code inputs}. */
    int outputs(int inputs);

    /** Computes {@code to} of the first {@code inputs} components of {@code from}; no other memory is written. */
    void apply(double[] from, int inputs, double[] to);

    /** With the weights in its file. */
    static VectorStage of(SentenceModule module) throws IOException {
        return switch (module) {
            case SentenceModule.Normalize _ -> new UnitLength();
            case SentenceModule.LayerNorm(Path file, int dimension) -> {
                try (Weights weights = Weights.open(file)) {
                    yield new Norm(row(weights, "norm.weight", dimension), row(weights, "norm.bias", dimension));
                }
            }
            case SentenceModule.Dense(Path file, String name, int inputs, int outputs, boolean bias,
                    DenseActivation activation) -> {
                try (Weights weights = Weights.open(file)) {
                    yield new Linear(columns(weights, name + ".weight", outputs, inputs),
                            bias ? row(weights, name + ".bias", outputs) : new float[outputs], activation);
                }
            }
        };
    }

    /** {@code activation(W x + b)}. */
    record Linear(float[][] columns, float[] bias, DenseActivation activation) implements VectorStage {
        @Override
        public int outputs(int inputs) {
            return bias.length;
        }

        @Override
        public void apply(double[] from, int inputs, double[] to) {
            for (int o = 0; o < bias.length; o++) {
                to[o] = bias[o];
            }
            for (int i = 0; i < inputs; i++) {
                addScaled(columns[i], from[i], to);
            }
            if (activation != DenseActivation.IDENTITY) {
                for (int o = 0; o < bias.length; o++) {
                    to[o] = activation.apply(to[o]);
                }
            }
        }

        /** Apart from the loop over columns, for the compiler. */
        private static void addScaled(float[] column, double factor, double[] to) {
            for (int o = 0; o < column.length; o++) {
                to[o] += factor * column[o];
            }
        }
    }

    /** {@code (x − mean) / √(variance + ε) · γ + β}. */
    record Norm(float[] gamma, float[] beta) implements VectorStage {
        @Override
        public int outputs(int inputs) {
            return inputs;
        }

        @Override
        public void apply(double[] from, int inputs, double[] to) {
            double mean = 0;
            for (int i = 0; i < inputs; i++) {
                mean += from[i] / inputs;
            }
            double variance = 0;
            for (int i = 0; i < inputs; i++) {
                variance += (from[i] - mean) * (from[i] - mean) / inputs;
            }
            double scale = 1 / Math.sqrt(variance + EPSILON);
            for (int i = 0; i < inputs; i++) {
                to[i] = (from[i] - mean) * scale * gamma[i] + beta[i];
            }
        }
    }

    /** Division by the length, or by 1e-12 if that is more. */
    record UnitLength() implements VectorStage {
        @Override
        public int outputs(int inputs) {
            return inputs;
        }

        @Override
        public void apply(double[] from, int inputs, double[] to) {
            double length = length(from, inputs);
            for (int i = 0; i < inputs; i++) {
                to[i] = from[i] / length;
            }
        }

        static double length(double[] vector, int components) {
            double squares = 0;
            for (int i = 0; i < components; i++) {
                squares += vector[i] * vector[i];
            }
            return Math.max(Math.sqrt(squares), 1e-12);
        }
    }

    private static float[] row(Weights weights, String name, int size) throws FormatException {
        return values(find(weights, name, Shape.of(size)), 0, name, weights);
    }

    /** The columns of a matrix [outputs, inputs]. */
    private static float[][] columns(Weights weights, String name, int outputs, int inputs) throws FormatException {
        Weight matrix = find(weights, name, Shape.of(outputs, inputs));
        float[][] columns = new float[inputs][outputs];
        for (int o = 0; o < outputs; o++) {
            float[] row = values(matrix, o, name, weights);
            for (int i = 0; i < inputs; i++) {
                columns[i][o] = row[i];
            }
        }
        return columns;
    }

    private static float[] values(Weight weight, int row, String name, Weights weights) throws FormatException {
        float[] values = new float[(int) weight.size(weight.rank() - 1)];
        weight.read(row, 0, values.length, values, 0);
        for (float value : values) {
            if (!Float.isFinite(value)) {
                throw new FormatException(weights.file(), -1, name, "expected finite numbers, got " + value
                        + (weight.rank() == 1 ? "" : " in row " + row));
            }
        }
        return values;
    }

    private static Weight find(Weights weights, String name, Shape shape) throws FormatException {
        if (!weights.contains(name)) {
            throw new FormatException(weights.file(), -1, name, "no such tensor; there are " + weights.brief());
        }
        Weight weight;
        try {
            weight = weights.weight(name);
        } catch (IllegalArgumentException e) {
            throw new FormatException(weights.file(), -1, name, "expected shape " + shape + " of floating-point"
                    + " numbers: " + e.getMessage(), e);
        }
        if (!weight.shape().equals(shape)) {
            throw new FormatException(weights.file(), -1, name, "expected shape " + shape + " by the module's"
                    + " config.json, got " + weight.shape());
        }
        return weight;
    }
}
