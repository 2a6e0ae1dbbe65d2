package dev.fovea.internal.kernels;

import dev.fovea.Backend;
import dev.fovea.graph.Activation;
import dev.fovea.graph.Pooling;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;

/**
 * The arithmetic, one method per op; {@code native/include/fovea/fovea.h} has each op's formula and source.
 *
 * <p>Every backend implements this contract and passes the same tests. An instance serves one thread
 * at a time. Tensors are views made once; a call takes the number of rows that it works on, so a view
 * of the largest batch serves every smaller one. No method allocates on the Java heap. Every method
 * throws, before it writes anything: {@link NullPointerException} naming an argument that is missing;
 * {@link IllegalArgumentException} naming both values for a shape, dtype, stride, alignment or overlap
 * that does not fit; {@link IllegalStateException} when an arena or the engine is closed; and
 * {@link WrongThreadException} when an arena is confined to another thread.
 *
 * <p>Unless said otherwise tensors are {@code F32} with contiguous last dimension, and {@code out}
 * overlaps no input. {@code offsets} are {@code I32 [≥ sequences + 1]}, begin with 0 and do not decrease.
 */
public sealed interface Kernels permits NativeKernels, JavaKernels {
    /** Who computes. */
    Backend backend();

    /**
     * Sums word, position and type embeddings.
     *
     * @param sequences the number of sequences
     * @param ids I32 [≥ tokens], each in 0 … vocabulary − 1
     * @param offsets sequence starts
     * @param words [vocabulary, width], dense
     * @param positions [positions, width], dense, or null; the first token of a sequence takes row {@code firstPosition}
     * @param firstPosition 0 for BERT
     * @param type [width], or null
     * @param out [≥ tokens, width]
     * @throws IllegalArgumentException also if an id is outside the vocabulary or a sequence longer than the positions
     */
    void embedding(int sequences, Tensor ids, Tensor offsets, Tensor words, Tensor positions, int firstPosition,
            Tensor type, Tensor out);

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
     * Packs a constant weight for {@link #linear}, into {@code arena}.
     *
     * @param weight F32 [outputs, inputs], any strides
     * @return panels that the engines of the same kernel table read
     */
    PackedLinear pack(Arena arena, Tensor weight);

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

    /**
     * {@code c = alpha a b} (or {@code a bᵀ}) for each product of a batch.
     *
     * @param a [batch, m, k]
     * @param b [batch, k, n], or [batch, n, k] with {@code transposeB}
     * @param c [batch, m, n]
     */
    void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c);

    /** Bytes of scratch that {@link #attention} needs for these sizes, whatever the lengths. */
    long attentionScratchBytes(int heads, int kvHeads, int headDim, int valueDim);

    /**
     * {@code out = softmax(scale Q Kᵀ) V} per sequence and head. A query with no key gives 0.
     *
     * @param q [≥ query tokens, heads, head_dim]
     * @param k [≥ key tokens, kv_heads, head_dim]
     * @param v [≥ key tokens, kv_heads, value_dim]
     * @param qOffsets sequence starts of the queries
     * @param kvOffsets sequence starts of the keys; may be {@code qOffsets}
     * @param scratch I8 [≥ {@link #attentionScratchBytes}], aligned to 64 bytes
     * @param out [≥ query tokens, heads, value_dim]
     */
    void attention(int sequences, Tensor q, Tensor k, Tensor v, Tensor qOffsets, Tensor kvOffsets, float scale,
            Tensor scratch, Tensor out);

    /**
     * One vector per sequence; an empty sequence gives 0.
     *
     * @param x [≥ tokens, width]
     * @param normalize whether each vector is divided by max(its L2 norm, 1e-12)
     * @param out [≥ sequences, width]
     */
    void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out);
}
