package dev.fovea.internal.backend;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.Weight;
import java.util.List;

/**
 * One step of a lowered plan: an op, or several that were fused. All that a backend must be able to do; the formulas
 * are those of {@code native/include/fovea/fovea.h}.
 */
public sealed interface Step {
    /** Word embeddings of the batch's ids, times {@code scale}, plus positions and a type, where these are not null. */
    record Embedding(Weight words, float scale, Weight positions, int firstPosition, Weight type, Operand out)
            implements Step {}

    /** Rows normalised to mean 0 and variance 1; {@code beta} may be null. */
    record LayerNorm(Operand x, Weight gamma, Weight beta, float epsilon, Operand out) implements Step {}

    /** Rows normalised to mean square 1. */
    record RmsNorm(Operand x, Weight gamma, float epsilon, Operand out) implements Step {}

    /**
     * Rows of the weight of a product, and their biases.
     *
     * @param weight [outputs, inputs]
     * @param bias [outputs], or null
     */
    record Part(Weight weight, Weight bias) {}

    /** {@code out = activation(x [W₀ W₁ …]ᵀ + [b₀ b₁ …]) + residual}; {@code residual} may be null, or {@code out}. */
    record Linear(Operand x, List<Part> parts, Activation activation, Operand residual, Operand out)
            implements Step {
        /** Columns of all parts together. */
        public int outputs() {
            int outputs = 0;
            for (Part part : parts) {
                outputs = Math.addExact(outputs, (int) part.weight().size(0));
            }
            return outputs;
        }

        /** Rows that are multiplied have so many columns. */
        public int inputs() {
            return x.columns();
        }
    }

    /** {@code out = a + b}; {@code out} may be either. */
    record Add(Operand a, Operand b, Operand out) implements Step {}

    /** {@code out = activation(a) ⊙ b}; {@code out} may be either. */
    record Multiply(Operand a, Activation activation, Operand b, Operand out) implements Step {}

    /** {@code out = activation(x)}; {@code out} may be {@code x}. */
    record Activate(Operand x, Activation activation, Operand out) implements Step {}

    /** Rows divided by their L2 norms. */
    record Normalize(Operand x, Operand out) implements Step {}

    /** {@code A_s B_s} or {@code A_sᵀ B_s} for each sequence. */
    record MatMul(Operand a, Operand b, boolean transposeA, Operand out) implements Step {}

    /** A layer of a group of caches. */
    record Cache(int group, int layer) {}

    /** Appends keys, turned to their positions, and values to a layer of a cache, which was made for {@code spec}. */
    record Append(AttentionSpec spec, Operand k, Operand v, Cache cache) implements Step {}

    /**
     * Attention to the keys and values of the batch or, where {@code cache} is not null, to those of a cache.
     *
     * @param k null with a cache, as {@code v}
     * @param bias [tokens, heads · keys], added to scores, or null
     */
    record Attention(AttentionSpec spec, Operand q, Operand k, Operand v, Cache cache, Operand bias, Operand out)
            implements Step {}

    /**
     * What the distance of key and query adds to scores.
     *
     * @param table [1, heads · buckets], or null
     * @param byQuery [tokens, heads · buckets], null with a table
     * @param byKey [tokens, heads · buckets], or null
     * @param cache that has the tokens before those of the batch, or null; with a table alone
     */
    record RelativeBias(int heads, Weight table, Operand byQuery, Operand byKey, DistanceBuckets buckets, Cache cache,
            Operand out) implements Step {
        /** Of sequences that come as a whole. */
        public RelativeBias(int heads, Weight table, Operand byQuery, Operand byKey, DistanceBuckets buckets, Operand out) {
            this(heads, table, byQuery, byKey, buckets, null, out);
        }
    }

    /** Rows of a table by the batch's token types. */
    record TokenTypes(Weight table, Operand out) implements Step {}

    /** A row per sequence, divided by its L2 norm if asked for. */
    record Pool(Operand x, Pooling mode, boolean normalize, Operand out) implements Step {}

    /** {@code out = x − log Σ exp x} for each row. */
    record LogSoftmax(Operand x, Operand out) implements Step {}

    /** The columns of the largest elements of each row, as many as {@code out} has. */
    record TopK(Operand x, Operand out) implements Step {}

    /** The elements of each row that indices name. */
    record Gather(Operand x, Operand indices, Operand out) implements Step {}
}
