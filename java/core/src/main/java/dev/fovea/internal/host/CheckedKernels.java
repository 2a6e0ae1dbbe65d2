package dev.fovea.internal.host;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.backend.Require;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * Kernels that check all their arguments in every call, layouts and data, before anything is written, and keep the
 * engine open meanwhile: for attention on tensors of its own, and for tests of kernels.
 */
public final class CheckedKernels implements Kernels {
    private final Owner engine;
    private final Kernels kernels;
    private final CheckedAttention attention;

    /** Checks what {@code kernels} trust; {@code engine} is what a call keeps open. */
    public CheckedKernels(Owner engine, Kernels kernels) {
        this.engine = engine;
        this.kernels = kernels;
        this.attention = new CheckedAttention(engine, kernels);
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        engine.enter();
        try {
            Require.count("sequences", sequences);
            Require.atLeast("first_position", 0, firstPosition);
            Require.readable("words", words, 2);
            int tokens = Require.offsets("offsets", sequences, offsets);
            OpContract.embedding(tokens, words, scale, positions, type, out);
            Data.starts(sequences, starts);
            if (positions != null) {
                Data.positions(sequences, offsets, starts, positions.size(0), firstPosition);
            }
            Data.tokenIds(tokens, ids, (int) words.size(0));
            Require.disjoint("ids", ids, tokens, "out", out, tokens);
            Require.disjoint("offsets", offsets, sequences + 1L, "out", out, tokens);
            if (starts != null) {
                Require.disjoint("starts", starts, sequences, "out", out, tokens);
            }
            kernels.embedding(sequences, ids, offsets, starts, words, scale, positions, firstPosition, type, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        engine.enter();
        try {
            OpContract.layerNorm(rows, x, gamma, beta, epsilon, out);
            kernels.layerNorm(rows, x, gamma, beta, epsilon, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        engine.enter();
        try {
            OpContract.rmsNorm(rows, x, gamma, epsilon, out);
            kernels.rmsNorm(rows, x, gamma, epsilon, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public String packing() {
        return kernels.packing();
    }

    @Override
    public long packedBytes(int outputs, int inputs, Layout kept) {
        engine.enter();
        try {
            OpContract.packed(outputs, inputs, kept);
            return kernels.packedBytes(outputs, inputs, kept);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void pack(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory) {
        engine.enter();
        try {
            OpContract.pack(part, kept);
            Require.atLeast("first_output", 0, firstOutput);
            Require.atLeast("outputs", firstOutput + part.size(0), outputs);
            long bytes = kernels.packedBytes(outputs, (int) part.size(1), kept);
            Require.memory("memory", memory, ALIGNMENT, bytes);
            kernels.pack(part, firstOutput, outputs, kept, memory);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        engine.enter();
        try {
            OpContract.linear(rows, x, weight, bias, activation, residual, out, kernels.packing());
            kernels.linear(rows, x, weight, bias, activation, residual, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void add(int rows, Tensor a, Tensor b, Tensor out) {
        engine.enter();
        try {
            OpContract.elementwise(rows, a, Objects.requireNonNull(b, "b"), out);
            kernels.add(rows, a, b, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        engine.enter();
        try {
            Objects.requireNonNull(activation, "activation");
            OpContract.elementwise(rows, a, Objects.requireNonNull(b, "b"), out);
            kernels.multiply(rows, a, activation, b, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void activate(int rows, Tensor x, Activation activation, Tensor out) {
        engine.enter();
        try {
            Objects.requireNonNull(activation, "activation");
            OpContract.elementwise(rows, x, null, out);
            kernels.activate(rows, x, activation, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void normalize(int rows, Tensor x, Tensor out) {
        engine.enter();
        try {
            OpContract.elementwise(rows, x, null, out);
            kernels.normalize(rows, x, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void logSoftmax(int rows, Tensor x, Tensor out) {
        engine.enter();
        try {
            OpContract.elementwise(rows, x, null, out);
            kernels.logSoftmax(rows, x, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void topK(int rows, Tensor x, Tensor indices) {
        engine.enter();
        try {
            OpContract.topK(rows, x, indices);
            kernels.topK(rows, x, indices);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void relativeBias(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets,
            Tensor offsets, Tensor out) {
        engine.enter();
        try {
            int tokens = Require.offsets("offsets", sequences, offsets);
            OpContract.relativeBias(tokens, heads, byQuery, byKey, buckets, out);
            Data.positions(sequences, offsets, null, buckets.keys(), 0);
            kernels.relativeBias(sequences, heads, byQuery, byKey, buckets, offsets, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        engine.enter();
        try {
            OpContract.gather(rows, x, indices, out);
            Data.columns(rows, indices, x.size(1));
            kernels.gather(rows, x, indices, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        engine.enter();
        try {
            OpContract.matmul(a, b, transposeB, alpha, c);
            kernels.matmul(a, b, transposeB, alpha, c);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        engine.enter();
        try {
            Require.count("sequences", sequences);
            int tokens = Require.offsets("offsets", sequences, offsets);
            OpContract.raggedMatmul(sequences, tokens, a, b, transposeA, out);
            Require.disjoint("offsets", offsets, sequences + 1L, "out", out, transposeA ? sequences : tokens);
            kernels.raggedMatmul(sequences, offsets, a, b, transposeA, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        engine.enter();
        try {
            Require.count("sequences", sequences);
            Objects.requireNonNull(mode, "mode");
            Require.readable("x", x, DType.F32, 2);
            int tokens = Require.offsets("offsets", sequences, offsets);
            OpContract.pool(sequences, tokens, x, mode, out);
            Require.disjoint("offsets", offsets, sequences + 1L, "out", out, sequences);
            kernels.pool(sequences, x, offsets, mode, normalize, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        return attention.attentionScratchBytes(spec);
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch) {
        attention.attention(sequences, spec, operands, qOffsets, kvOffsets, pages, scratch);
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        attention.cacheAppend(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
    }

    /** What indices in memory must be. */
    private static final class Data {
        static void tokenIds(int tokens, Tensor ids, int vocabulary) {
            Require.readable("ids", ids, DType.I32, 1);
            Require.room("tokens", tokens, ids.size(0), "ids");
            Require.contiguous("ids", ids);
            for (int t = 0; t < tokens; t++) {
                int id = ids.segment().getAtIndex(JAVA_INT, t);
                if (id < 0 || id >= vocabulary) {
                    throw new IllegalArgumentException(
                            "token id " + id + " at " + t + " is outside the vocabulary of " + vocabulary);
                }
            }
        }

        static void starts(int sequences, Tensor starts) {
            if (starts == null) {
                return;
            }
            Require.readable("starts", starts, DType.I32, 1);
            Require.room("sequences", sequences, starts.size(0), "starts");
            Require.contiguous("starts", starts);
            for (int s = 0; s < sequences; s++) {
                Require.atLeast("starts", 0, starts.segment().getAtIndex(JAVA_INT, s));
            }
        }

        static void positions(int sequences, Tensor offsets, Tensor starts, long positions, int firstPosition) {
            for (int s = 0; s < sequences; s++) {
                int length = AttentionContract.length(offsets, s);
                long first = firstPosition + (starts == null ? 0L : starts.segment().getAtIndex(JAVA_INT, s));
                if (length > positions - first) {
                    throw new IllegalArgumentException("sequence " + s + " has " + length + " tokens, but only "
                            + Math.max(0, positions - first) + " positions are left from " + first);
                }
            }
        }

        static void columns(int rows, Tensor indices, long width) {
            for (int r = 0; r < rows; r++) {
                for (int i = 0; i < indices.size(1); i++) {
                    int index = indices.segment().getAtIndex(JAVA_INT, r * indices.stride(0) + i);
                    if (index < 0 || index >= width) {
                        throw new IllegalArgumentException("index " + index + " in row " + r + " is outside the width "
                                + width);
                    }
                }
            }
        }
    }
}
