package dev.fovea.internal.java;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.internal.host.Kernels;
import dev.fovea.internal.host.PackedLinear;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;

/** Kernels in Java: hands each op to the class that computes it. Their tiles live on the heap. */
final class JavaKernels implements Kernels {
    private final String isa;
    private final JavaRows rowOps = new JavaRows();
    private final JavaElementwise elementwise;
    private final JavaLinear linear;
    private final JavaAttention attention;
    private final JavaCache cache = new JavaCache();

    JavaKernels(JavaEngine engine) {
        this.isa = engine.isa();
        this.elementwise = new JavaElementwise(engine.loops(JavaElementwise.COLUMNS));
        this.linear = new JavaLinear(engine.loops(JavaProduct.COLUMNS));
        this.attention = new JavaAttention(engine.loops(JavaAttention.QUERIES));
    }

    @Override
    public void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out) {
        rowOps.embedding(sequences, ids, offsets, starts, words, scale, positions, firstPosition, type, out);
    }

    @Override
    public void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out) {
        rowOps.layerNorm(rows, x, gamma, beta, epsilon, out);
    }

    @Override
    public void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out) {
        rowOps.rmsNorm(rows, x, gamma, epsilon, out);
    }

    @Override
    public String packing() {
        return isa;
    }

    @Override
    public long packedBytes(int outputs, int inputs, Layout kept) {
        return JavaLinear.packedBytes(outputs, inputs, kept);
    }

    @Override
    public void pack(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory) {
        linear.pack(part, firstOutput, outputs, kept, memory);
    }

    @Override
    public void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out) {
        linear.linear(rows, x, weight, bias, activation, residual, out);
    }

    @Override
    public void add(int rows, Tensor a, Tensor b, Tensor out) {
        elementwise.add(rows, a, b, out);
    }

    @Override
    public void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out) {
        elementwise.multiply(rows, a, activation, b, out);
    }

    @Override
    public void activate(int rows, Tensor x, Activation activation, Tensor out) {
        elementwise.activate(rows, x, activation, out);
    }

    @Override
    public void normalize(int rows, Tensor x, Tensor out) {
        rowOps.normalize(rows, x, out);
    }

    @Override
    public void logSoftmax(int rows, Tensor x, Tensor out) {
        JavaLogits.logSoftmax(rows, x, out);
    }

    @Override
    public void topK(int rows, Tensor x, Tensor indices) {
        JavaLogits.topK(rows, x, indices);
    }

    @Override
    public void relativeBias(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets,
            Tensor offsets, Tensor out) {
        JavaRelativeBias.fill(sequences, heads, byQuery, byKey, buckets, offsets, out);
    }

    @Override
    public void gather(int rows, Tensor x, Tensor indices, Tensor out) {
        JavaLogits.gather(rows, x, indices, out);
    }

    @Override
    public void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c) {
        for (int i = 0; i < c.size(0); i++) {
            linear.matmul(i, a, b, transposeB, alpha, c);
        }
    }

    @Override
    public void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out) {
        for (int s = 0; s < sequences; s++) {
            int start = offsets.segment().getAtIndex(JAVA_INT, s);
            int tokens = offsets.segment().getAtIndex(JAVA_INT, s + 1) - start;
            JavaRaggedProduct.multiply(s, start, tokens, a, b, transposeA, out);
        }
    }

    /** None: its tiles are heap arrays. */
    @Override
    public long attentionScratchBytes(AttentionSpec spec) {
        return 0;
    }

    @Override
    public void attention(int sequences, AttentionSpec spec, AttentionOperands operands, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch) {
        attention.attention(sequences, spec, operands, qOffsets, kvOffsets, pages);
    }

    @Override
    public void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages) {
        cache.append(sequences, rope, k, v, offsets, lengths, pages, keyPages, valuePages);
    }

    @Override
    public void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out) {
        rowOps.pool(sequences, x, offsets, mode, normalize, out);
    }
}
