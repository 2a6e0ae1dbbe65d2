package dev.fovea.internal.host;

import dev.fovea.internal.backend.Require;
import dev.fovea.ops.Activation;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.util.Objects;

/**
 * How the tensors of each op of {@link Kernels} must lie: shapes, types, strides, overlaps. {@link HostBinding} asks
 * once, with the largest numbers of rows, {@link CheckedKernels} in every call. Allocates nothing when all fits.
 *
 * <p>{@link NullPointerException}, naming the argument, where one is missing;
 * {@link IllegalArgumentException}, naming both values, where one does not fit;
 * {@link IllegalStateException} where an arena is closed and {@link WrongThreadException} where it
 * belongs to another thread.
 */
final class OpContract {
    private OpContract() {}

    static void embedding(int tokens, Weight words, float scale, Tensor positions, Tensor type, Tensor out) {
        Require.readable("words", words, 2);
        int vocabulary = Require.extent("vocabulary", words.size(0), "words");
        int width = Require.extent("width", words.size(1), "words");
        if (!words.isDense()) {
            throw new IllegalArgumentException("expected a dense weight, got " + words + " in words");
        }
        Require.finite("scale", scale);
        if (positions != null) {
            Require.readable("positions", positions, DType.F32, 2);
            Require.extent("positions", positions, 0, "positions");
            Require.size("width", width, positions.size(1), "positions");
            Require.dense("positions", positions);
        }
        if (type != null) {
            Require.vector("type", type, "width", width);
        }
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, tokens, "width", width);
        long wordBytes = (long) vocabulary * width / words.layout().blockValues() * words.layout().blockBytes();
        if (tokens > 0) {
            Require.disjoint("words", words.segment(), wordBytes, "out", out, tokens);
        }
        if (positions != null) {
            Require.disjoint("positions", positions, positions.size(0), "out", out, tokens);
        }
        if (type != null) {
            Require.disjoint("type", type, width, "out", out, tokens);
        }
    }

    static void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        Require.count("rows", rows);
        Require.readable("x", x, DType.F32, 2);
        int width = Require.extent("width", x, 1, "x");
        Require.matrix("x", x, rows, "width", width);
        Require.vector("gamma", gamma, "width", width);
        Require.vector("beta", beta, "width", width);
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("epsilon must be finite and not negative, got " + epsilon);
        }
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, rows, "width", width);
        same("x", x, out, rows);
        Require.disjoint("gamma", gamma, width, "out", out, rows);
        Require.disjoint("beta", beta, width, "out", out, rows);
    }

    static void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        layerNorm(rows, x, gamma, gamma, epsilon, out);
    }

    static void pack(Weight weight, Layout kept) {
        Require.readable("weight", weight, 2);
        int outputs = Require.extent("outputs", weight.size(0), "weight");
        packed(outputs, Require.extent("inputs", weight.size(1), "weight"), kept);
    }

    static void packed(int outputs, int inputs, Layout kept) {
        Objects.requireNonNull(kept, "kept");
        if (outputs < 1 || inputs < 1) {
            throw new IllegalArgumentException("expected a weight of at least 1 output and 1 input, got " + outputs
                    + " and " + inputs);
        }
        if (kept == Layout.U8) {
            throw new IllegalArgumentException("weights are kept as F32, F16, BF16, I8 or in blocks, got " + kept);
        }
        int most = kept == Layout.I8 ? Kernels.I8_INPUTS : kept.isPlain() ? Integer.MAX_VALUE : Kernels.BLOCK_INPUTS;
        if (inputs > most) {
            throw new IllegalArgumentException(
                    "weights kept as " + kept + " take at most " + most + " inputs, got " + inputs);
        }
        if (inputs % kept.blockValues() != 0) {
            throw new IllegalArgumentException("weights kept as " + kept + " take a multiple of " + kept.blockValues()
                    + " inputs, got " + inputs);
        }
    }

    static void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation,
            Tensor residual, Tensor out, String layout) {
        Require.count("rows", rows);
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(weight, "weight");
        if (!weight.layout().equals(layout)) {
            throw new IllegalArgumentException(
                    "expected weights packed for " + layout + ", got weights packed for " + weight.layout());
        }
        Require.reachable("weight", weight.data());
        Require.readable("x", x, DType.F32, 2);
        Require.matrix("x", x, rows, "inputs", weight.inputs());
        if (bias != null) {
            Require.vector("bias", bias, "outputs", weight.outputs());
        }
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, rows, "outputs", weight.outputs());
        if (residual != null) {
            Require.readable("residual", residual, DType.F32, 2);
            Require.matrix("residual", residual, rows, "outputs", weight.outputs());
            same("residual", residual, out, rows);
        }
        Require.disjoint("x", x, rows, "out", out, rows);
        if (bias != null) {
            Require.disjoint("bias", bias, weight.outputs(), "out", out, rows);
        }
    }

    static void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        Require.readable("a", a, DType.F32, 3);
        Require.readable("b", b, DType.F32, 3);
        Require.writable("c", c, DType.F32, 3);
        Require.finite("alpha", alpha);
        int batch = bounded("batch", a, 0);
        int m = bounded("m", a, 1);
        int k = bounded("k", a, 2);
        Require.size("batch", batch, b.size(0), "b");
        Require.size("k", k, b.size(transposeB ? 2 : 1), "b");
        long n = b.size(transposeB ? 1 : 2);
        Require.size("batch", batch, c.size(0), "c");
        Require.size("m", m, c.size(1), "c");
        Require.size("n", n, c.size(2), "c");
        bounded("n", c, 2);
        product("a", a);
        product("b", b);
        product("c", c);
        Require.disjoint("a", a, batch, "c", c, batch);
        Require.disjoint("b", b, batch, "c", c, batch);
    }

    private static void product(String name, Tensor tensor) {
        Require.contiguous(name, tensor);
        Require.spaced(name, tensor, 1, tensor.size(1), tensor.size(2));
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

    static void pool(int sequences, int tokens, Tensor x, Pooling mode, Tensor out) {
        Objects.requireNonNull(mode, "mode");
        Require.readable("x", x, DType.F32, 2);
        int width = Require.extent("width", x, 1, "x");
        Require.matrix("x", x, tokens, "width", width);
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, sequences, "width", width);
        Require.disjoint("x", x, tokens, "out", out, sequences);
    }

    /** Two inputs of the shape of {@code out}, which may be either; {@code b} may be null. */
    static void elementwise(int rows, Tensor a, Tensor b, Tensor out) {
        Require.count("rows", rows);
        Require.readable("a", a, DType.F32, 2);
        int width = Require.extent("width", a, 1, "a");
        Require.matrix("a", a, rows, "width", width);
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, rows, "width", width);
        same("a", a, out, rows);
        if (b != null) {
            Require.readable("b", b, DType.F32, 2);
            Require.matrix("b", b, rows, "width", width);
            same("b", b, out, rows);
        }
    }

    static void topK(int rows, Tensor x, Tensor indices) {
        Require.count("rows", rows);
        Require.readable("x", x, DType.F32, 2);
        int width = Require.extent("width", x, 1, "x");
        Require.matrix("x", x, rows, "width", width);
        Require.writable("indices", indices, DType.I32, 2);
        int count = Require.extent("count", indices, 1, "indices");
        if (count > width) {
            throw new IllegalArgumentException("expected at most " + width + " indices, the width of x, got " + count);
        }
        Require.matrix("indices", indices, rows, "count", count);
        Require.disjoint("x", x, rows, "indices", indices, rows);
    }

    static void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        Require.count("rows", rows);
        Require.readable("x", x, DType.F32, 2);
        Require.matrix("x", x, rows, "width", Require.extent("width", x, 1, "x"));
        Require.readable("indices", indices, DType.I32, 2);
        int count = Require.extent("count", indices, 1, "indices");
        Require.matrix("indices", indices, rows, "count", count);
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, rows, "count", count);
        Require.disjoint("x", x, rows, "out", out, rows);
        Require.disjoint("indices", indices, rows, "out", out, rows);
    }

    static void raggedMatmul(int sequences, int tokens, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        Require.readable("a", a, DType.F32, 2);
        int k = Require.extent("columns", a, 1, "a");
        Require.matrix("a", a, tokens, "columns", k);
        Require.readable("b", b, DType.F32, 2);
        int columns = Require.extent("columns", b, 1, "b");
        Require.matrix("b", b, transposeA ? tokens : sequences, "columns", columns);
        if (!transposeA && columns % k != 0) {
            throw new IllegalArgumentException("expected columns in a multiple of " + k + ", got " + columns + " in b");
        }
        Require.writable("out", out, DType.F32, 2);
        long outColumns = transposeA ? (long) k * columns : columns / k;
        int outRows = transposeA ? sequences : tokens;
        Require.matrix("out", out, outRows, "columns", outColumns);
        Require.disjoint("a", a, tokens, "out", out, outRows);
        Require.disjoint("b", b, transposeA ? tokens : sequences, "out", out, outRows);
    }

    static void relativeBias(int tokens, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets, Tensor out) {
        Require.count("tokens", tokens);
        Objects.requireNonNull(buckets, "buckets");
        long columns = (long) heads * buckets.buckets();
        Require.readable("by_query", byQuery, DType.F32, 2);
        int rows = byQuery.size(0) == 1 ? 1 : tokens;
        Require.matrix("by_query", byQuery, rows, "columns", columns);
        Require.writable("out", out, DType.F32, 2);
        Require.matrix("out", out, tokens, "columns", (long) heads * buckets.keys());
        Require.disjoint("by_query", byQuery, rows, "out", out, tokens);
        if (byKey != null) {
            Require.readable("by_key", byKey, DType.F32, 2);
            Require.matrix("by_key", byKey, tokens, "columns", columns);
            Require.disjoint("by_key", byKey, tokens, "out", out, tokens);
        }
    }

    /** An input that may be the output itself, but not overlap it otherwise. */
    private static void same(String name, Tensor input, Tensor out, int rows) {
        boolean sameMemory = input.segment().address() == out.segment().address();
        if (!sameMemory || (rows > 1 && input.stride(0) != out.stride(0))) {
            Require.disjoint(name, input, rows, "out", out, rows);
        }
    }
}
