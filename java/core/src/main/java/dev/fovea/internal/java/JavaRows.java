package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.ops.Pooling;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;

/** The ops of the plain Java backend that pass over rows once: embedding, layer norm, pooling. */
final class JavaRows {
    private static final int CHUNK = 512;
    private static final double SMALLEST_NORM = 1e-12;

    private final double[] sums = new double[CHUNK];
    private float[] row = {};

    void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        int width = (int) words.size(1);
        if (row.length < width) {
            row = new float[width];
        }
        for (int s = 0; s < sequences; s++) {
            int start = offsets.segment().getAtIndex(JAVA_INT, s);
            int end = offsets.segment().getAtIndex(JAVA_INT, s + 1);
            int before = firstPosition + (starts == null ? 0 : starts.segment().getAtIndex(JAVA_INT, s));
            for (int t = start; t < end; t++) {
                words.read(ids.segment().getAtIndex(JAVA_INT, t), 0, width, row, 0);
                long position = (long) (before + t - start) * width;
                for (int i = 0; i < width; i++) {
                    float value = scale * row[i];
                    if (positions != null) {
                        value += positions.segment().getAtIndex(JAVA_FLOAT, position + i);
                    }
                    if (type != null) {
                        value += type.segment().getAtIndex(JAVA_FLOAT, i);
                    }
                    out.segment().setAtIndex(JAVA_FLOAT, t * out.stride(0) + i, value);
                }
            }
        }
    }

    void normalize(int rows, Tensor x, Tensor out) {
        int width = (int) x.size(1);
        for (int r = 0; r < rows; r++) {
            long to = r * out.stride(0);
            for (int i = 0; i < width; i++) {
                out.segment().setAtIndex(JAVA_FLOAT, to + i, x.segment().getAtIndex(JAVA_FLOAT, r * x.stride(0) + i));
            }
            normalize(out.segment(), to, width);
        }
    }

    void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        int width = (int) x.size(1);
        MemorySegment source = x.segment();
        for (int r = 0; r < rows; r++) {
            long at = r * x.stride(0);
            long to = r * out.stride(0);
            double sum = 0;
            for (int i = 0; i < width; i++) {
                sum += source.getAtIndex(JAVA_FLOAT, at + i);
            }
            double mean = sum / width;
            double squares = 0;
            for (int i = 0; i < width; i++) {
                double deviation = source.getAtIndex(JAVA_FLOAT, at + i) - mean;
                squares += deviation * deviation;
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int i = 0; i < width; i++) {
                double normal = (source.getAtIndex(JAVA_FLOAT, at + i) - mean) * factor;
                double value = normal * gamma.segment().getAtIndex(JAVA_FLOAT, i)
                        + beta.segment().getAtIndex(JAVA_FLOAT, i);
                out.segment().setAtIndex(JAVA_FLOAT, to + i, (float) value);
            }
        }
    }

    void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        int width = (int) x.size(1);
        MemorySegment source = x.segment();
        for (int r = 0; r < rows; r++) {
            long at = r * x.stride(0);
            double squares = 0;
            for (int i = 0; i < width; i++) {
                double value = source.getAtIndex(JAVA_FLOAT, at + i);
                squares += value * value;
            }
            double factor = 1 / Math.sqrt(squares / width + epsilon);
            for (int i = 0; i < width; i++) {
                double normal = source.getAtIndex(JAVA_FLOAT, at + i) * factor;
                double value = normal * gamma.segment().getAtIndex(JAVA_FLOAT, i);
                out.segment().setAtIndex(JAVA_FLOAT, r * out.stride(0) + i, (float) value);
            }
        }
    }

    void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        int width = (int) x.size(1);
        for (int s = 0; s < sequences; s++) {
            int start = offsets.segment().getAtIndex(JAVA_INT, s);
            int end = offsets.segment().getAtIndex(JAVA_INT, s + 1);
            int first = mode == Pooling.LAST ? Math.max(start, end - 1) : start;
            int last = mode == Pooling.CLS ? Math.min(end, start + 1) : end;
            long to = s * out.stride(0);
            for (int column = 0; column < width; column += CHUNK) {
                mean(x, first, last, column, Math.min(CHUNK, width - column), out.segment(), to + column);
            }
            if (normalize) {
                normalize(out.segment(), to, width);
            }
        }
    }

    /** The mean of some columns over the tokens {@code first … last − 1}; 0 if there is none. */
    private void mean(Tensor x, int first, int last, int column, int columns, MemorySegment out, long to) {
        for (int i = 0; i < columns; i++) {
            sums[i] = 0;
        }
        for (int t = first; t < last; t++) {
            long at = t * x.stride(0) + column;
            for (int i = 0; i < columns; i++) {
                sums[i] += x.segment().getAtIndex(JAVA_FLOAT, at + i);
            }
        }
        int tokens = Math.max(1, last - first);
        for (int i = 0; i < columns; i++) {
            out.setAtIndex(JAVA_FLOAT, to + i, (float) (sums[i] / tokens));
        }
    }

    private static void normalize(MemorySegment out, long at, int width) {
        double squares = 0;
        for (int i = 0; i < width; i++) {
            double value = out.getAtIndex(JAVA_FLOAT, at + i);
            squares += value * value;
        }
        double norm = Math.max(Math.sqrt(squares), SMALLEST_NORM);
        for (int i = 0; i < width; i++) {
            out.setAtIndex(JAVA_FLOAT, at + i, (float) (out.getAtIndex(JAVA_FLOAT, at + i) / norm));
        }
    }
}
