package dev.fovea.internal.host;

import dev.fovea.internal.backend.DirectAttention;
import dev.fovea.ops.Activation;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SegmentAllocator;

/**
 * The arithmetic of a backend that works in memory of the host, one method per op; {@code
 * native/include/fovea/fovea.h} has each op's formula and source.
 *
 * <p>An instance serves one thread at a time. Tensors are views made once; a call takes the number of rows that it
 * works on, so a view of the largest batch serves every smaller one. No method allocates on the Java heap.
 *
 * <p>Backends trust their arguments: {@link HostBinding} checks layouts once for all runs, {@link
 * dev.fovea.internal.backend.Batch} checks data once per run, and {@link CheckedKernels} checks all in every call.
 *
 * <p>Unless said otherwise tensors are {@code F32} with contiguous last dimension, and {@code out}
 * overlaps no input. {@code offsets} are {@code I32 [≥ sequences + 1]}, begin with 0 and do not decrease.
 */
public interface Kernels extends DirectAttention {
    /** The most inputs of a weight that is stored as I8. */
    int I8_INPUTS = 32768;

    /** The most inputs of a weight that is kept in blocks. */
    int BLOCK_INPUTS = 65536;

    /** Bytes that packed weights are aligned to. */
    int ALIGNMENT = 64;

    /**
     * Sums word embeddings times a scale, position and type embeddings.
     *
     * @param sequences the number of sequences
     * @param ids I32 [≥ tokens], each in 0 … vocabulary − 1
     * @param offsets sequence starts
     * @param starts I32 [≥ sequences], how many tokens each sequence had before; null for none
     * @param words [vocabulary, width] of any layout, dense
     * @param scale finite
     * @param positions [positions, width], dense, or null; token i of a sequence takes row {@code firstPosition + i}
     * @param firstPosition 0 for BERT
     * @param type [width], or null
     * @param out [≥ tokens, width]
     */
    void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Weight words, float scale,
            Tensor positions, int firstPosition, Tensor type, Tensor out);

    /**
     * Normalises each row to mean 0 and variance 1, then scales by gamma and shifts by beta.
     *
     * @param x [≥ rows, width]
     * @param gamma [width]
     * @param beta [width]
     * @param out [≥ rows, width]; may be {@code x}
     */
    void layerNorm(int rows, Tensor x, Tensor gamma, Tensor beta, float epsilon, Tensor out);

    /**
     * Divides each row by the root of its mean square, then scales by gamma.
     *
     * @param x [≥ rows, width]
     * @param gamma [width]
     * @param out [≥ rows, width]; may be {@code x}
     */
    void rmsNorm(int rows, Tensor x, Tensor gamma, float epsilon, Tensor out);

    /** The {@linkplain dev.fovea.Engine#isa() kernel table} that reads what {@link #pack} writes. */
    String packing();

    /** Bytes of a packed weight. */
    long packedBytes(int outputs, int inputs, Layout kept);

    /**
     * Packs rows of a constant weight for {@link #linear}. Values are read as F32 a panel at a time.
     *
     * @param part rows {@code firstOutput …} of the weight [outputs, inputs], of any layout, strides and alignment
     * @param kept what the weight is kept as: F32; F16 or BF16, rounded to nearest, ties to even; I8, with a scale per
     *     output, which takes at most {@value #I8_INPUTS} inputs and rounds every row of x to eight bits too; or a
     *     layout of blocks, for at most {@value #BLOCK_INPUTS} inputs, which rounds each 32 of a row of x; Java backends take
     *     blocks only of a part that has them
     * @param memory zeroed before the first part, aligned to {@link #ALIGNMENT}, of {@link #packedBytes}
     */
    void pack(Weight part, int firstOutput, int outputs, Layout kept, MemorySegment memory);

    /** Packs a whole weight into zeroed memory from {@code allocator}. */
    default PackedLinear pack(SegmentAllocator allocator, Weight weight, Layout kept) {
        OpContract.pack(weight, kept);
        int outputs = (int) weight.size(0);
        int inputs = (int) weight.size(1);
        MemorySegment memory = allocator.allocate(packedBytes(outputs, inputs, kept), ALIGNMENT);
        pack(weight, 0, outputs, kept, memory);
        return new PackedLinear(memory, outputs, inputs, kept, packing());
    }

    /**
     * {@code out = activation(x Wᵀ + bias) + residual}.
     *
     * @param x [≥ rows, inputs]
     * @param bias [outputs], or null
     * @param residual [≥ rows, outputs], or null; may be {@code out}
     * @param out [≥ rows, outputs]
     */
    void linear(int rows, Tensor x, PackedLinear weight, Tensor bias, Activation activation, Tensor residual,
            Tensor out);

    /** {@code out = a + b}, each [≥ rows, width]; {@code out} may be either. */
    void add(int rows, Tensor a, Tensor b, Tensor out);

    /** {@code out = activation(a) ⊙ b}, each [≥ rows, width]; {@code out} may be either. */
    void multiply(int rows, Tensor a, Activation activation, Tensor b, Tensor out);

    /** {@code out = activation(x)}, each [≥ rows, width]; {@code out} may be {@code x}. */
    void activate(int rows, Tensor x, Activation activation, Tensor out);

    /** {@code out = x / max(‖x‖₂, 1e-12)} for each row, [≥ rows, width]; {@code out} may be {@code x}. */
    void normalize(int rows, Tensor x, Tensor out);

    /** {@code out = x − log Σ exp x} for each row, [≥ rows, width]; {@code out} may be {@code x}. */
    void logSoftmax(int rows, Tensor x, Tensor out);

    /**
     * The columns of the largest elements of each row, the largest first; of equals the lower column first. NaN ranks
     * below −∞.
     *
     * @param x [≥ rows, width]
     * @param indices I32 [≥ rows, count]
     */
    void topK(int rows, Tensor x, Tensor indices);

    /**
     * The elements of each row that a row of indices names.
     *
     * @param x [≥ rows, width]
     * @param indices I32 [≥ rows, count], each in 0 … width − 1
     * @param out [≥ rows, count]
     */
    void gather(int rows, Tensor x, Tensor indices, Tensor out);

    /**
     * {@code c = alpha a b} (or {@code a bᵀ}) for each product of a batch.
     *
     * @param a [batch, m, k]
     * @param b [batch, k, n], or [batch, n, k] with {@code transposeB}
     * @param c [batch, m, n]
     */
    void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c);

    /**
     * {@code A_s B_s} or {@code A_sᵀ B_s} for each sequence, whose tokens are the rows of A_s.
     *
     * @param a [≥ tokens, k]
     * @param b [≥ sequences, k · n], or with {@code transposeA} [≥ tokens, n]
     * @param out [≥ tokens, n], or with {@code transposeA} [≥ sequences, k · n]
     */
    void raggedMatmul(int sequences, Tensor offsets, Tensor a, Tensor b, boolean transposeA, Tensor out);

    /**
     * What the distance of key and query adds to scores: for token i and token j of one sequence and head h, {@code
     * byQuery[i][h, b] + byKey[j][h, b]} with b the bucket of j − i.
     *
     * @param byQuery [≥ tokens, heads · buckets], or with one row what all have
     * @param byKey [≥ tokens, heads · buckets], or null
     * @param out [≥ tokens, heads · keys]; columns behind the keys of a sequence are left as they are
     */
    void relativeBias(int sequences, int heads, Tensor byQuery, Tensor byKey, DistanceBuckets buckets, Tensor offsets,
            Tensor out);

    /**
     * One vector per sequence; an empty sequence gives 0.
     *
     * @param x [≥ tokens, width]
     * @param normalize whether each vector is divided by max(its L2 norm, 1e-12)
     * @param out [≥ sequences, width]
     */
    void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out);
}
