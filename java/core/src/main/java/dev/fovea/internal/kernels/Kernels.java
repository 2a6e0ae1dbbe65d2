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
    /** Keys to a page of a key/value cache: the key block of attention. */
    int PAGE_KEYS = 128;

    /** The most inputs of a weight that is stored as I8. */
    int I8_INPUTS = 32768;

    /** Bytes that packed weights are aligned to. */
    int ALIGNMENT = 64;

    /** Who computes. */
    Backend backend();

    /**
     * Sums word embeddings times a scale, position and type embeddings.
     *
     * @param sequences the number of sequences
     * @param ids I32 [≥ tokens], each in 0 … vocabulary − 1
     * @param offsets sequence starts
     * @param starts I32 [≥ sequences], how many tokens each sequence had before; null for none
     * @param words [vocabulary, width], dense
     * @param scale finite
     * @param positions [positions, width], dense, or null; token i of a sequence takes row {@code firstPosition + i}
     * @param firstPosition 0 for BERT
     * @param type [width], or null
     * @param out [≥ tokens, width]
     * @throws IllegalArgumentException also if an id is outside the vocabulary, a start is negative, or a sequence
     *     reaches past the positions
     */
    void embedding(int sequences, Tensor ids, Tensor offsets, Tensor starts, Tensor words, float scale,
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

    /** Zeroed memory in {@code arena}, aligned to {@link #ALIGNMENT}, that is fast to get and to stream. */
    MemorySegment allocate(Arena arena, long bytes);

    /** Bytes that {@link #pack(Tensor, DType, MemorySegment)} of such a weight writes. */
    long packedBytes(int outputs, int inputs, DType dtype);

    /**
     * Packs a constant weight for {@link #linear}.
     *
     * @param weight F32 [outputs, inputs], any strides and alignment
     * @param dtype the type that the weight is stored as: F32; BF16, rounded to nearest, ties to even; or I8, with a
     *     scale per output, which takes at most {@value #I8_INPUTS} inputs and rounds every row of x to eight bits too
     * @param memory aligned to {@link #ALIGNMENT}, of at least {@link #packedBytes} bytes; it is part of the result
     * @return panels that the engines of the same kernel table read
     */
    PackedLinear pack(Tensor weight, DType dtype, MemorySegment memory);

    /** Packs a constant weight into memory of its own in {@code arena}. */
    default PackedLinear pack(Arena arena, Tensor weight, DType dtype) {
        Contract.pack(weight, dtype);
        long bytes = packedBytes((int) weight.size(0), (int) weight.size(1), dtype);
        return pack(weight, dtype, allocate(arena, bytes));
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

    /**
     * {@code c = alpha a b} (or {@code a bᵀ}) for each product of a batch.
     *
     * @param a [batch, m, k]
     * @param b [batch, k, n], or [batch, n, k] with {@code transposeB}
     * @param c [batch, m, n]
     */
    void matmul(Tensor a, Tensor b, boolean transposeB, float alpha, Tensor c);

    /** Bytes of scratch that {@link #attention} needs for a spec, whatever the lengths. */
    long attentionScratchBytes(AttentionSpec spec);

    /**
     * Attention of every query to the keys of its sequence, as {@code spec} and {@link AttentionTensors} say.
     *
     * <p>Without pages {@code k} and {@code v} are those of {@code tensors}, and keys are turned by the spec's RoPE as
     * queries are. With pages they hold keys that are turned already.
     *
     * @param tensors queries, masks and outputs; their own k, v and offsets are not read
     * @param k keys, as {@link AttentionTensors} says; with pages [pages, kv_heads, 128, head_dim], dense
     * @param v values, as {@link AttentionTensors} says; with pages [pages, kv_heads, 128, value_dim], dense
     * @param qOffsets sequence starts of the queries
     * @param kvOffsets sequence starts of the keys; may be {@code qOffsets}
     * @param pages I32 [≥ sequences, blocks], in column b the page of a sequence's keys from 128 b on; or null
     * @param scratch I8 [≥ {@link #attentionScratchBytes}], aligned to 64 bytes
     * @throws IllegalArgumentException also if a position is outside the table of RoPE, or a page outside the pages
     */
    void attention(int sequences, AttentionSpec spec, AttentionTensors tensors, Tensor k, Tensor v, Tensor qOffsets,
            Tensor kvOffsets, Tensor pages, Tensor scratch);

    /**
     * Writes new keys, turned to their positions, and values behind those that the pages of a cache hold.
     *
     * @param rope turns the keys, or null
     * @param k [≥ tokens, kv_heads, head_dim] or [≥ sequences, tokens, kv_heads, head_dim], F32, F16 or BF16
     * @param v likewise with value_dim, of the same type
     * @param offsets sequence starts of the new tokens
     * @param lengths I32 [≥ sequences], tokens that each sequence holds already
     * @param pages I32 [≥ sequences, blocks]; a page that is written stands in it once
     * @param keyPages [pages, kv_heads, 128, head_dim], dense, F32, F16 or BF16
     * @param valuePages [pages, kv_heads, 128, value_dim], dense, of the same type
     */
    void cacheAppend(int sequences, Rope rope, Tensor k, Tensor v, Tensor offsets, Tensor lengths, Tensor pages,
            Tensor keyPages, Tensor valuePages);

    /**
     * One vector per sequence; an empty sequence gives 0.
     *
     * @param x [≥ tokens, width]
     * @param normalize whether each vector is divided by max(its L2 norm, 1e-12)
     * @param out [≥ sequences, width]
     */
    void pool(int sequences, Tensor x, Tensor offsets, Pooling mode, boolean normalize, Tensor out);
}
