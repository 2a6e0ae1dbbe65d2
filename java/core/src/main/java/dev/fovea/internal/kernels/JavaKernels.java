package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.graph.Activation;
import dev.fovea.graph.Pooling;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/** Kernels in plain Java: checks, then hands each op to the class that computes it. Their tiles live on the heap. */
final class JavaKernels implements Kernels {
    private final JavaEngine engine;
    private final JavaRows rowOps = new JavaRows();
    private final JavaLinear linear = new JavaLinear();
    private final JavaAttention attention = new JavaAttention();

    JavaKernels(JavaEngine engine) {
        this.engine = engine;
    }

    @Override
    public Backend backend() {
        return Backend.JAVA;
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor words, Tensor positions,
            int firstPosition, Tensor type, Tensor out) {
        engine.enter();
        try {
            Contract.embedding(sequences, ids, offsets, words, positions, firstPosition, type, out);
            rowOps.embedding(sequences, ids, offsets, words, positions, firstPosition, type, out);
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
    public PackedLinear pack(Arena arena, Tensor weight) {
        engine.enter();
        try {
            Contract.pack(weight);
            return JavaLinear.pack(arena, weight);
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
    public long attentionScratchBytes(int heads, int kvHeads, int headDim, int valueDim) {
        Contract.heads(heads, kvHeads, headDim, valueDim);
        return 0;
    }

    @Override
    public void attention(int sequences, Tensor q, Tensor k, Tensor v, Tensor qOffsets, Tensor kvOffsets,
            float scale, Tensor scratch, Tensor out) {
        engine.enter();
        try {
            Contract.attentionHeads(q, k, v);
            Contract.attention(sequences, q, k, v, qOffsets, kvOffsets, scale, scratch, 0, out);
            attention.attention(sequences, q, k, v, qOffsets, kvOffsets, scale, out);
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
