package dev.fovea.internal.kernels;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.graph.Activation;
import dev.fovea.graph.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.Objects;

/**
 * What {@link Kernels} demands of its arguments, checked alike by every backend before it writes anything.
 *
 * <p>{@link NullPointerException}, naming the argument, where one is missing;
 * {@link IllegalArgumentException}, naming both values, where one does not fit;
 * {@link IllegalStateException} where an arena is closed and {@link WrongThreadException} where it
 * belongs to another thread.
 */
final class Contract {
    private Contract() {}

    static void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Tensor words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        Expect.count("sequences", sequences);
        Expect.atLeast("first_position", 0, firstPosition);
        Expect.readable("words", words, DType.F32, 2);
        int vocabulary = Expect.extent("vocabulary", words, 0, "words");
        int width = Expect.extent("width", words, 1, "words");
        Expect.dense("words", words);
        int tokens = Expect.offsets("offsets", sequences, offsets);
        Expect.finite("scale", scale);
        starts(sequences, starts);
        if (positions != null) {
            Expect.readable("positions", positions, DType.F32, 2);
            Expect.extent("positions", positions, 0, "positions");
            Expect.size("width", width, positions.size(1), "positions");
            Expect.dense("positions", positions);
            positions(sequences, offsets, starts, positions.size(0), firstPosition);
        }
        if (type != null) {
            Expect.vector("type", type, "width", width);
        }
        tokenIds(tokens, ids, vocabulary);
        Expect.writable("out", out, DType.F32, 2);
        Expect.matrix("out", out, tokens, "width", width);
        Expect.disjoint("ids", ids, tokens, "out", out, tokens);
        Expect.disjoint("offsets", offsets, sequences + 1L, "out", out, tokens);
        if (starts != null) {
            Expect.disjoint("starts", starts, sequences, "out", out, tokens);
        }
        Expect.disjoint("words", words, vocabulary, "out", out, tokens);
        if (positions != null) {
            Expect.disjoint("positions", positions, positions.size(0), "out", out, tokens);
        }
        if (type != null) {
            Expect.disjoint("type", type, width, "out", out, tokens);
        }
    }

    private static void tokenIds(int tokens, Tensor ids, int vocabulary) {
        Expect.readable("ids", ids, DType.I32, 1);
        Expect.room("tokens", tokens, ids.size(0), "ids");
        Expect.contiguous("ids", ids);
        for (int t = 0; t < tokens; t++) {
            int id = ids.segment().getAtIndex(JAVA_INT, t);
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException(
                        "token id " + id + " at " + t + " is outside the vocabulary of " + vocabulary);
            }
        }
    }

    private static void starts(int sequences, Tensor starts) {
        if (starts == null) {
            return;
        }
        Expect.readable("starts", starts, DType.I32, 1);
        Expect.room("sequences", sequences, starts.size(0), "starts");
        Expect.contiguous("starts", starts);
        for (int s = 0; s < sequences; s++) {
            Expect.atLeast("starts", 0, starts.segment().getAtIndex(JAVA_INT, s));
        }
    }

    private static void positions(int sequences, Tensor offsets, Tensor starts, long positions, int firstPosition) {
        for (int s = 0; s < sequences; s++) {
            int length = offsets.segment().getAtIndex(JAVA_INT, s + 1) - offsets.segment().getAtIndex(JAVA_INT, s);
            long first = firstPosition + (starts == null ? 0L : starts.segment().getAtIndex(JAVA_INT, s));
            if (length > positions - first) {
                throw new IllegalArgumentException("sequence " + s + " has " + length + " tokens, but only "
                        + Math.max(0, positions - first) + " positions are left from " + first);
            }
        }
    }

    static void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        Expect.count("rows", rows);
        Expect.readable("x", x, DType.F32, 2);
        int width = Expect.extent("width", x, 1, "x");
        Expect.matrix("x", x, rows, "width", width);
        Expect.vector("gamma", gamma, "width", width);
        Expect.vector("beta", beta, "width", width);
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be finite and not negative, got " + epsilon);
        }
        Expect.writable("out", out, DType.F32, 2);
        Expect.matrix("out", out, rows, "width", width);
        same("x", x, out, rows);
        Expect.disjoint("gamma", gamma, width, "out", out, rows);
        Expect.disjoint("beta", beta, width, "out", out, rows);
    }

    static void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        layerNorm(rows, x, gamma, gamma, epsilon, out);
    }

    static void pack(Tensor weight, DType dtype) {
        Expect.readableUnaligned("weight", weight, DType.F32);
        Expect.rank("weight", weight, 2, 2);
        int outputs = Expect.extent("outputs", weight, 0, "weight");
        packed(outputs, Expect.extent("inputs", weight, 1, "weight"), dtype);
    }

    static void packed(int outputs, int inputs, DType dtype) {
        Objects.requireNonNull(dtype, "dtype");
        if (outputs < 1 || inputs < 1) {
            throw new IllegalArgumentException("expected a weight of at least 1 output and 1 input, got " + outputs
                    + " and " + inputs);
        }
        if (dtype != DType.F32 && dtype != DType.BF16 && dtype != DType.I8) {
            throw new IllegalArgumentException("weights are stored as F32, BF16 or I8, got " + dtype);
        }
        if (dtype == DType.I8 && inputs > Kernels.I8_INPUTS) {
            throw new IllegalArgumentException(
                    "weights stored as I8 take at most " + Kernels.I8_INPUTS + " inputs, got " + inputs);
        }
    }

    static void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation,
            Tensor residual, Tensor out, String layout) {
        Expect.count("rows", rows);
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(weight, "weight");
        if (!weight.layout().equals(layout)) {
            throw new IllegalArgumentException(
                    "expected weights packed for " + layout + ", got weights packed for " + weight.layout());
        }
        Expect.reachable("weight", weight.data());
        Expect.readable("x", x, DType.F32, 2);
        Expect.matrix("x", x, rows, "inputs", weight.inputs());
        if (bias != null) {
            Expect.vector("bias", bias, "outputs", weight.outputs());
        }
        Expect.writable("out", out, DType.F32, 2);
        Expect.matrix("out", out, rows, "outputs", weight.outputs());
        if (residual != null) {
            Expect.readable("residual", residual, DType.F32, 2);
            Expect.matrix("residual", residual, rows, "outputs", weight.outputs());
            same("residual", residual, out, rows);
        }
        Expect.disjoint("x", x, rows, "out", out, rows);
        if (bias != null) {
            Expect.disjoint("bias", bias, weight.outputs(), "out", out, rows);
        }
    }

    static void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        Expect.readable("a", a, DType.F32, 3);
        Expect.readable("b", b, DType.F32, 3);
        Expect.writable("c", c, DType.F32, 3);
        Expect.finite("alpha", alpha);
        int batch = bounded("batch", a, 0);
        int m = bounded("m", a, 1);
        int k = bounded("k", a, 2);
        Expect.size("batch", batch, b.size(0), "b");
        Expect.size("k", k, b.size(transposeB ? 2 : 1), "b");
        long n = b.size(transposeB ? 1 : 2);
        Expect.size("batch", batch, c.size(0), "c");
        Expect.size("m", m, c.size(1), "c");
        Expect.size("n", n, c.size(2), "c");
        bounded("n", c, 2);
        product("a", a);
        product("b", b);
        product("c", c);
        Expect.disjoint("a", a, batch, "c", c, batch);
        Expect.disjoint("b", b, batch, "c", c, batch);
    }

    private static void product(String name, Tensor tensor) {
        Expect.contiguous(name, tensor);
        Expect.spaced(name, tensor, 1, tensor.size(1), tensor.size(2));
    }

    /** A size of 0 or more that fits the kernels' {@code int}. */
    private static int bounded(String dimension, Tensor tensor, int index) {
        long size = tensor.size(index);
        if (size > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    dimension + " must be at most " + Integer.MAX_VALUE + ", got " + size);
        }
        return (int) size;
    }

    static void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, Tensor out) {
        Expect.count("sequences", sequences);
        Objects.requireNonNull(mode, "mode");
        Expect.readable("x", x, DType.F32, 2);
        int width = Expect.extent("width", x, 1, "x");
        int tokens = Expect.offsets("offsets", sequences, offsets);
        Expect.matrix("x", x, tokens, "width", width);
        Expect.writable("out", out, DType.F32, 2);
        Expect.matrix("out", out, sequences, "width", width);
        Expect.disjoint("x", x, tokens, "out", out, sequences);
        Expect.disjoint("offsets", offsets, sequences + 1L, "out", out, sequences);
    }

    /** An input that may be the output itself, but not overlap it otherwise. */
    private static void same(String name, Tensor input, Tensor out, int rows) {
        boolean sameMemory = input.segment().address() == out.segment().address();
        if (!sameMemory || (rows > 1 && input.stride(0) != out.stride(0))) {
            Expect.disjoint(name, input, rows, "out", out, rows);
        }
    }
}
