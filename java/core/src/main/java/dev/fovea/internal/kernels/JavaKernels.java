package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.attention.Rope;
import dev.fovea.graph.Activation;
import dev.fovea.graph.Pooling;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/** Kernels in Java: checks, then hands each op to the class that computes it. Their tiles live on the heap. */
final class JavaKernels implements Kernels {
    private final JavaEngine engine;
    private final JavaRows rowOps = new JavaRows();
    private final JavaLinear linear;
    private final JavaAttention attention;
    private final JavaCache cache = new JavaCache();

    JavaKernels(JavaEngine engine) {
        this.engine = engine;
        this.linear = new JavaLinear(engine.loops(JavaProduct.COLUMNS));
        this.attention = new JavaAttention(engine.loops(JavaAttention.QUERIES));
    }

    @Override
    public Backend backend() {
        return engine.backend();
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Tensor words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        engine.enter();
        try {
            Contract.embedding(sequences, ids, offsets, starts, words, scale, positions, firstPosition, type, out);
            rowOps.embedding(sequences, ids, offsets, starts, words, scale, positions, firstPosition, type, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        engine.enter();
        try {
            Contract.layerNorm(rows, x, gamma, beta, epsilon, out);
            rowOps.layerNorm(rows, x, gamma, beta, epsilon, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        engine.enter();
        try {
            Contract.rmsNorm(rows, x, gamma, epsilon, out);
            rowOps.rmsNorm(rows, x, gamma, epsilon, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public MemorySegment allocate(Arena arena, long bytes) {
        return arena.allocate(bytes, ALIGNMENT);
    }

    @Override
    public long packedBytes(int outputs, int inputs, DType dtype) {
        Contract.packed(outputs, inputs, dtype);
        return JavaLinear.packedBytes(outputs, inputs, dtype);
    }

    @Override
    public PackedLinear pack(Tensor weight, DType dtype, MemorySegment memory) {
        engine.enter();
        try {
            Contract.pack(weight, dtype);
            long bytes = packedBytes((int) weight.size(0), (int) weight.size(1), dtype);
            Expect.memory("memory", memory, ALIGNMENT, bytes);
            return JavaLinear.pack(weight, dtype, memory, engine.isa());
        } finally {
            engine.exit();
        }
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        engine.enter();
        try {
            Contract.linear(rows, x, weight, bias, activation, residual, out, engine.isa());
            linear.linear(rows, x, weight, bias, activation, residual, out);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        engine.enter();
        try {
            Contract.matmul(a, b, transposeB, alpha, c);
            for (int i = 0; i < c.size(0); i++) {
                linear.matmul(i, a, b, transposeB, alpha, c);
            }
        } finally {
            engine.exit();
        }
    }

    /** None: its tiles are heap arrays. */
    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        Objects.requireNonNull(spec, "spec");
        engine.enter();
        engine.exit();
        return 0;
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionTensors tensors, Tensor k, Tensor v,
            Tensor qOffsets, Tensor kvOffsets, Tensor pages, Tensor scratch) {
        engine.enter();
        try {
            AttentionContract.attention(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages, scratch, 0);
            attention.attention(sequences, spec, tensors, k, v, qOffsets, kvOffsets, pages);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        engine.enter();
        try {
            CacheContract.append(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
            cache.append(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
        } finally {
            engine.exit();
        }
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        engine.enter();
        try {
            Contract.pool(sequences, x, offsets, mode, out);
            rowOps.pool(sequences, x, offsets, mode, normalize, out);
        } finally {
            engine.exit();
        }
    }
}
