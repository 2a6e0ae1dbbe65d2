package dev.fovea.ops;

import java.util.Locale;
import java.util.Optional;

/** How close two vectors are: the larger, the closer. Computed in double. */
public enum Similarity {
    /** The cosine of the angle between them, in [−1, 1]; 0 if either is 0. */
    COSINE,
    /** Their dot product. */
    DOT,
    /** Their distance, negated. */
    EUCLIDEAN,
    /** The sum of the distances of their components, negated. */
    MANHATTAN;

    /**
     * Of two vectors.
     *
     * @throws IllegalArgumentException if one has more components than the other; the message has both numbers
     */
    public float of(float[] left, float[] right) {
        if (left.length != right.length) {
            throw new IllegalArgumentException(
                    "expected two vectors of one dimension, got " + left.length + " and " + right.length);
        }
        return (float) switch (this) {
            case COSINE -> cosine(left, right);
            case DOT -> product(left, right);
            case EUCLIDEAN -> -Math.sqrt(squaredDistance(left, right));
            case MANHATTAN -> -sumOfDistances(left, right);
        };
    }

    /** That of a name, such as {@code cosine}. */
    public static Optional<Similarity> of(String name) {
        for (Similarity similarity : values()) {
            if (similarity.name().toLowerCase(Locale.ROOT).equals(name)) {
                return Optional.of(similarity);
            }
        }
        return Optional.empty();
    }

    private static double cosine(float[] left, float[] right) {
        double lengths = Math.sqrt(product(left, left)) * Math.sqrt(product(right, right));
        return lengths == 0 ? 0 : Math.clamp(product(left, right) / lengths, -1, 1);
    }

    private static double product(float[] left, float[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += (double) left[i] * right[i];
        }
        return sum;
    }

    private static double squaredDistance(float[] left, float[] right) {
        double squares = 0;
        for (int i = 0; i < left.length; i++) {
            double difference = (double) left[i] - right[i];
            squares += difference * difference;
        }
        return squares;
    }

    private static double sumOfDistances(float[] left, float[] right) {
        double sum = 0;
        for (int i = 0; i < left.length; i++) {
            sum += Math.abs((double) left[i] - right[i]);
        }
        return sum;
    }
}
