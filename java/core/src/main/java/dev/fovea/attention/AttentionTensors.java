package dev.fovea.attention;

import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * The tensors of one attention: made once, run any number of times. Immutable; each {@code with…} gives a copy.
 *
 * <p>Queries, keys, values and output come in either of two forms, under any strides whose last dimension
 * is contiguous:
 *
 * <ul>
 *   <li>{@code [tokens, heads, dim]}: all sequences of a batch one after the other, without padding, each
 *       beginning where its offset says. Without offsets all tokens are one sequence.
 *   <li>{@code [batch, tokens, heads, dim]}: one sequence per entry of the batch. Where offsets are given,
 *       sequence s has the first {@code offsets[s + 1] − offsets[s]} of its tokens, and the rest is padding that is
 *       neither read nor written. A tensor laid out [batch, heads, tokens, dim] is passed as
 *       {@code tensor.transpose(1, 2)}.
 * </ul>
 *
 * <p>Strides of views do the rest: the parts of a fused QKV product are read in place. Vectors may not overlap, so
 * no stride but that of a dimension of size 1 may be 0. Queries are F32, F16
 * or BF16; so are keys and values, which share one type. Outputs are F32 and overlap no input.
 */
public final class AttentionTensors {
    private final KvCache cache;
    private final Tensor qOffsets;
    private final Tensor kvOffsets;
    private final AttentionOperands operands;

    /**
     * Checks that what is needed is there. The rest is checked against the spec, at each run.
     *
     * @param q queries, [query tokens, heads, head_dim] or [batch, query tokens, heads, head_dim]
     * @param k keys, [key tokens, kv_heads, head_dim] or [batch, key tokens, kv_heads, head_dim]
     * @param v values, [key tokens, kv_heads, value_dim] or [batch, key tokens, kv_heads, value_dim]
     * @param cache where keys and values come from instead of {@code k} and {@code v}, or null
     * @param qOffsets I32 [sequences + 1], beginning with 0 and not decreasing
     * @param kvOffsets I32 [sequences + 1], likewise of keys
     * @param mask U8 [queries, keys] or [sequences, heads, queries, keys], not 0 where a query attends to a key; or
     *     null. Queries and keys count from the start of their sequence; sequences, heads and queries of size 1
     *     stand for all.
     * @param bias F32, the shapes of {@code mask}, or [query tokens, heads, keys], a row for each query of the batch; added
     *     to the scores; −∞ masks; or null
     * @param out results, [query tokens, heads, value_dim] or [batch, query tokens, heads, value_dim]
     * @param lse F32 [heads, query tokens] or [batch, heads, query tokens], takes log Σ exp of the scores; or null
     * @param weights F32 [heads, query tokens, keys] or [batch, heads, query tokens, keys], takes the pattern
     *     itself: each row that of its sequence's keys, behind which nothing is written; or null. Costs O(n²) memory.
     */
    public AttentionTensors(Tensor q, Tensor k, Tensor v, KvCache cache, Tensor qOffsets, Tensor kvOffsets,
            Tensor mask, Tensor bias, Tensor out, Tensor lse, Tensor weights) {
        Objects.requireNonNull(q, "q");
        Objects.requireNonNull(out, "out");
        this.qOffsets = Objects.requireNonNull(qOffsets, "qOffsets");
        this.cache = cache;
        this.kvOffsets = kvOffsets;
        if (cache == null) {
            Objects.requireNonNull(k, "k");
            Objects.requireNonNull(v, "v");
            Objects.requireNonNull(kvOffsets, "kvOffsets");
        }
        this.operands = new AttentionOperands(q, cache == null ? k : cache.keys(), cache == null ? v : cache.values(),
                mask, bias, out, lse, weights);
    }

    /** Sequences as long as the tensors: all tokens one sequence, or one per entry of a batch. */
    public static AttentionTensors of(Tensor q, Tensor k, Tensor v, Tensor out) {
        return new AttentionTensors(q, k, v, null, wholeSequences("q", q), wholeSequences("k", k), null, null, out,
                null, null);
    }

    /**
     * Keys and values from a cache: the queries of sequence s attend to what the cache holds of its sequence s.
     *
     * @param q [query tokens, heads, head_dim] of a single sequence, or [batch, query tokens, heads, head_dim]
     */
    public static AttentionTensors of(Tensor q, KvCache cache, Tensor out) {
        return new AttentionTensors(q, null, null, Objects.requireNonNull(cache, "cache"), wholeSequences("q", q),
                null, null, null, out, null, null);
    }

    /**
     * A copy for sequences of these lengths.
     *
     * @param qOffsets I32 [sequences + 1], beginning with 0 and not decreasing
     * @param kvOffsets I32 [sequences + 1], likewise; may be {@code qOffsets}
     */
    public AttentionTensors withOffsets(Tensor qOffsets, Tensor kvOffsets) {
        return new AttentionTensors(q(), k(), v(), cache, qOffsets, kvOffsets, mask(), bias(), out(), lse(), weights());
    }

    /** A copy for queries of these lengths; those of the keys stay, or are the cache's. */
    public AttentionTensors withOffsets(Tensor qOffsets) {
        return withOffsets(qOffsets, kvOffsets);
    }

    /** A copy with a boolean mask. */
    public AttentionTensors withMask(Tensor mask) {
        return new AttentionTensors(q(), k(), v(), cache, qOffsets, kvOffsets, Objects.requireNonNull(mask, "mask"),
                bias(), out(), lse(), weights());
    }

    /** A copy with an additive bias. */
    public AttentionTensors withBias(Tensor bias) {
        return new AttentionTensors(q(), k(), v(), cache, qOffsets, kvOffsets, mask(),
                Objects.requireNonNull(bias, "bias"), out(), lse(), weights());
    }

    /** A copy that also takes the log-sum-exp of the scores. */
    public AttentionTensors withLse(Tensor lse) {
        return new AttentionTensors(q(), k(), v(), cache, qOffsets, kvOffsets, mask(), bias(), out(),
                Objects.requireNonNull(lse, "lse"), weights());
    }

    /** A copy that also takes the pattern. */
    public AttentionTensors withWeights(Tensor weights) {
        return new AttentionTensors(q(), k(), v(), cache, qOffsets, kvOffsets, mask(), bias(), out(), lse(),
                Objects.requireNonNull(weights, "weights"));
    }

    /** Queries. */
    public Tensor q() {
        return operands.q();
    }

    /** Keys; null with a cache. */
    public Tensor k() {
        return cache == null ? operands.k() : null;
    }

    /** Values; null with a cache. */
    public Tensor v() {
        return cache == null ? operands.v() : null;
    }

    /** Where keys and values come from, or null. */
    public KvCache cache() {
        return cache;
    }

    /** Sequence starts of the queries. */
    public Tensor qOffsets() {
        return qOffsets;
    }

    /** Sequence starts of the keys; null with a cache. */
    public Tensor kvOffsets() {
        return kvOffsets;
    }

    /** The boolean mask, or null. */
    public Tensor mask() {
        return operands.mask();
    }

    /** The additive bias, or null. */
    public Tensor bias() {
        return operands.bias();
    }

    /** Results. */
    public Tensor out() {
        return operands.out();
    }

    /** Takes log Σ exp of the scores, or null. */
    public Tensor lse() {
        return operands.lse();
    }

    /** Takes the pattern, or null. */
    public Tensor weights() {
        return operands.weights();
    }

    /** The tensors as backends take them. */
    AttentionOperands operands() {
        return operands;
    }

    /** The number of sequences, as the queries' offsets say. */
    public int sequences() {
        return Math.toIntExact(qOffsets.size(0) - 1);
    }

    private static Tensor wholeSequences(String name, Tensor tensor) {
        Objects.requireNonNull(tensor, name);
        if (tensor.rank() != 3 && tensor.rank() != 4) {
            throw new IllegalArgumentException("expected [tokens, heads, dim] or [batch, tokens, heads, dim], got "
                    + "shape " + tensor.shape() + " in " + name);
        }
        long sequences = tensor.rank() == 4 ? tensor.size(0) : 1;
        long tokens = tensor.size(tensor.rank() - 3);
        if (sequences > Integer.MAX_VALUE - 1 || sequences * tokens > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    "expected at most " + Integer.MAX_VALUE + " tokens, got shape " + tensor.shape() + " in " + name);
        }
        Tensor offsets = Tensor.allocate(Arena.ofAuto(), DType.I32, Shape.of(sequences + 1));
        for (int s = 0; s <= sequences; s++) {
            offsets.segment().setAtIndex(ValueLayout.JAVA_INT, s, (int) (s * tokens));
        }
        return offsets;
    }
}
