package dev.fovea.model.sentence;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/** What a Dense module applies to each component, in double; named by the class of PyTorch. */
public enum DenseActivation {
    IDENTITY("Identity", x -> x),
    TANH("Tanh", Math::tanh),
    RELU("ReLU", x -> x > 0 || Double.isNaN(x) ? x : 0),
    GELU("GELU", x -> x / 2 * erfc(-x / Math.sqrt(2))),
    SIGMOID("Sigmoid", x -> 1 / (1 + Math.exp(-x))),
    SILU("SiLU", x -> x / (1 + Math.exp(-x)));

    private final String torchClass;
    private final DoubleUnaryOperator function;

    DenseActivation(String torchClass, DoubleUnaryOperator function) {
        this.torchClass = torchClass;
        this.function = function;
    }

    double apply(double x) {
        return function.applyAsDouble(x);
    }

    /** The activation that a qualified name of PyTorch stands for, such as {@code torch.nn.modules.activation.Tanh}. */
    static Optional<DenseActivation> of(String qualifiedName) {
        for (DenseActivation activation : values()) {
            if (qualifiedName.startsWith("torch.nn.") && qualifiedName.endsWith("." + activation.torchClass)) {
                return Optional.of(activation);
            }
        }
        return Optional.empty();
    }

    /** The names of PyTorch's classes, for messages. */
    static List<String> classes() {
        List<String> classes = new ArrayList<>();
        for (DenseActivation activation : values()) {
            classes.add(activation.torchClass);
        }
        return classes;
    }

    /**
     * 1 − erf(x): by its Maclaurin series up to 2, and by the continued fraction beyond; Abramowitz and Stegun, 7.1.5
     * and 7.1.14.
     */
    static double erfc(double x) {
        double size = Math.abs(x);
        if (Double.isNaN(x)) {
            return x;
        }
        double result;
        if (size < 2) {
            double term = size;
            double sum = size;
            for (int n = 1; Math.abs(term) > 1e-18 * sum; n++) {
                term *= -size * size / n;
                sum += term / (2 * n + 1);
            }
            result = 1 - 2 / Math.sqrt(Math.PI) * sum;
        } else {
            double fraction = size;
            for (int n = 120; n > 0; n--) {
                fraction = size + n / 2.0 / fraction;
            }
            result = Math.exp(-size * size) / Math.sqrt(Math.PI) / fraction;
        }
        return x < 0 ? 2 - result : result;
    }
}
