package dev.fovea.server.models;

import dev.fovea.model.TextEncoder;
import dev.fovea.server.json.JsonBody;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Base64;

/** What becomes of a model's vectors before they are sent. */
public final class Vectors {
    private Vectors() {}

    /** Whether a model's vectors are of length 1. */
    public static boolean areNormalized(TextEncoder encoder) {
        return encoder.pipeline().contains("Normalize");
    }

    /** The field {@code dimensions}: how many components to keep. */
    public static int dimensions(JsonBody body, TextEncoder encoder) {
        return (int) body.integer("dimensions", encoder.dimension(), 1, encoder.dimension());
    }

    /**
     * The first components of a vector.
     *
     * @param normalizes whether they are brought to length 1; the vector itself is not changed by that where it has it
     */
    public static float[] cut(float[] vector, int dimensions, boolean normalizes) {
        if (dimensions == vector.length && (!normalizes || Math.abs(squares(vector) - 1) < 1e-5)) {
            return vector;
        }
        float[] first = Arrays.copyOf(vector, dimensions);
        double length = Math.sqrt(squares(first));
        for (int i = 0; normalizes && length > 0 && i < first.length; i++) {
            first[i] = (float) (first[i] / length);
        }
        return first;
    }

    private static double squares(float[] vector) {
        double sum = 0;
        for (float value : vector) {
            sum += (double) value * value;
        }
        return sum;
    }

    /** Numbers of 32 bits, little-endian, in Base64. */
    public static String base64(float[] vector) {
        ByteBuffer bytes = ByteBuffer.allocate(vector.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(vector);
        return Base64.getEncoder().encodeToString(bytes.array());
    }
}
