package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/** The ops of the Java backends that rank the elements of rows: log softmax, top k, gather. */
final class JavaLogits {
    private JavaLogits() {}

    static void logSoftmax(int rows, Tensor x, Tensor out) {
        int width = (int) x.size(1);
        MemorySegment source = x.segment();
        for (int r = 0; r < rows; r++) {
            long at = r * x.stride(0);
            double peak = Double.NEGATIVE_INFINITY;
            for (int i = 0; i < width; i++) {
                peak = Math.max(peak, source.getAtIndex(JAVA_FLOAT, at + i));
            }
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += Math.exp(source.getAtIndex(JAVA_FLOAT, at + i) - peak);
            }
            double total = peak + Math.log(sum);
            for (int i = 0; i < width; i++) {
                float value = (float) (source.getAtIndex(JAVA_FLOAT, at + i) - total);
                out.segment().setAtIndex(JAVA_FLOAT, r * out.stride(0) + i, value);
            }
        }
    }

    static void topK(int rows, Tensor x, Tensor indices) {
        int width = (int) x.size(1);
        int count = (int) indices.size(1);
        for (int r = 0; r < rows; r++) {
            long values = r * x.stride(0);
            long list = r * indices.stride(0);
            int found = 0;
            for (int i = 0; i < width; i++) {
                float value = x.segment().getAtIndex(JAVA_FLOAT, values + i);
                if (found == count && !isAbove(value, at(x, values, indices, list, found - 1))) {
                    continue;
                }
                int place = found < count ? found++ : found - 1;
                while (place > 0 && isAbove(value, at(x, values, indices, list, place - 1))) {
                    int lower = indices.segment().getAtIndex(JAVA_INT, list + place - 1);
                    indices.segment().setAtIndex(JAVA_INT, list + place, lower);
                    place--;
                }
                indices.segment().setAtIndex(JAVA_INT, list + place, i);
            }
        }
    }

    /** Whether one value ranks before another; NaN ranks last, equals keep their order. */
    private static boolean isAbove(float value, float other) {
        return value > other || Float.isNaN(other) && !Float.isNaN(value);
    }

    private static float at(Tensor x, long values, Tensor indices, long list, int place) {
        return x.segment().getAtIndex(JAVA_FLOAT, values + indices.segment().getAtIndex(JAVA_INT, list + place));
    }

    static void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        for (int r = 0; r < rows; r++) {
            for (int i = 0; i < indices.size(1); i++) {
                int index = indices.segment().getAtIndex(JAVA_INT, r * indices.stride(0) + i);
                float value = x.segment().getAtIndex(JAVA_FLOAT, r * x.stride(0) + index);
                out.segment().setAtIndex(JAVA_FLOAT, r * out.stride(0) + i, value);
            }
        }
    }
}
