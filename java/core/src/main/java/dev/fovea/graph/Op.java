package dev.fovea.graph;

import dev.fovea.attention.AttentionSpec;
import dev.fovea.graph.Value.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * One operation of a graph: its inputs and its constants. Op {@code i} of a graph yields value {@code i}.
 *
 * <p>Constants are {@code F32} tensors of any strides. The records check all shapes on construction and
 * throw {@link IllegalArgumentException}, naming op, value and both sizes. The formulas are those of
 * {@code native/include/fovea/fovea.h}.
 */
public sealed interface Op {
    /** The name of the op and of its value. */
    String name();

    /** The values it reads, in order; one that it reads twice stands there twice. */
    List<Value> inputs();

    /** The tensors it reads besides, absent ones left out. */
    default List<Tensor> constants() {
        return List.of();
    }

    /** What a row of its value stands for. */
    Rows rows();

    /** The columns of its value. */
    int columns();

    /**
     * The sum of word, position and type embeddings of the session's token ids.
     *
     * @param words [vocabulary, width]
     * @param scale what word embeddings are multiplied by, finite: √width in Vaswani et al., 1 elsewhere
     * @param positions [positions, width], or null; a sequence's first token takes row {@code firstPosition}
     * @param firstPosition 0 for BERT, 2 for RoBERTa
     * @param type [width], added to every token, or null
     */
    record Embedding(String name, Tensor words, float scale, Tensor positions, int firstPosition, Tensor type)
            implements Op {
        /** Checks the shapes. */
        public Embedding {
            String label = label("embedding", name);
            requireShape(label, "words", words, 2);
            if (!Float.isFinite(scale)) {
                throw new IllegalArgumentException(label + ": scale must be finite, got " + scale);
            }
            if (positions != null) {
                requireShape(label, "positions", positions, 2);
                requireEqual(label, "positions has", positions.size(1), "columns, words has", words.size(1));
                if (firstPosition < 0 || firstPosition >= positions.size(0)) {
                    throw new IllegalArgumentException(label + ": first position " + firstPosition
                            + " is outside the table of " + positions.size(0) + " positions");
                }
            }
            if (type != null) {
                requireShape(label, "type", type, 1);
                requireEqual(label, "type has", type.size(0), "columns, words has", words.size(1));
            }
        }

        @Override
        public List<Value> inputs() {
            return List.of();
        }

        @Override
        public List<Tensor> constants() {
            return Stream.of(words, positions, type).filter(Objects::nonNull).toList();
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return (int) words.size(1);
        }
    }

    /**
     * Normalises each row to mean 0 and variance 1, then scales and shifts it.
     *
     * @param gamma [columns of x]
     * @param beta [columns of x]
     * @param epsilon added to the variance, finite and not negative
     */
    record LayerNorm(String name, Value x, Tensor gamma, Tensor beta, float epsilon) implements Op {
        /** Checks the shapes. */
        public LayerNorm {
            String label = label("layer norm", name);
            Objects.requireNonNull(x, "x");
            requireShape(label, "gamma", gamma, 1);
            requireShape(label, "beta", beta, 1);
            requireEqual(label, "gamma has", gamma.size(0), "elements, x " + x + " has", x.columns());
            requireEqual(label, "beta has", beta.size(0), "elements, x " + x + " has", x.columns());
            requireEpsilon(label, epsilon);
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Tensor> constants() {
            return List.of(gamma, beta);
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return x.columns();
        }
    }

    /**
     * Divides each row by the root of its mean square, then scales it.
     *
     * @param gamma [columns of x]
     * @param epsilon added to the mean square, finite and not negative
     */
    record RmsNorm(String name, Value x, Tensor gamma, float epsilon) implements Op {
        /** Checks the shapes. */
        public RmsNorm {
            String label = label("RMS norm", name);
            Objects.requireNonNull(x, "x");
            requireShape(label, "gamma", gamma, 1);
            requireEqual(label, "gamma has", gamma.size(0), "elements, x " + x + " has", x.columns());
            requireEpsilon(label, epsilon);
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Tensor> constants() {
            return List.of(gamma);
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return x.columns();
        }
    }

    /**
     * {@code x Wᵀ + bias}.
     *
     * @param weight W [outputs, inputs]
     * @param bias [outputs], or null
     */
    record Linear(String name, Value x, Tensor weight, Tensor bias) implements Op {
        /** Checks the shapes. */
        public Linear {
            String label = label("linear", name);
            Objects.requireNonNull(x, "x");
            requireShape(label, "weight", weight, 2);
            requireEqual(label, "weight has", weight.size(1), "inputs, x " + x + " has", x.columns());
            if (bias != null) {
                requireShape(label, "bias", bias, 1);
                requireEqual(label, "bias has", bias.size(0), "elements, weight has outputs", weight.size(0));
            }
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Tensor> constants() {
            return Stream.of(weight, bias).filter(Objects::nonNull).toList();
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return (int) weight.size(0);
        }
    }

    /** An elementwise function. */
    record Activate(String name, Value x, Activation activation) implements Op {
        /** Checks that both are there. */
        public Activate {
            Objects.requireNonNull(x, "x");
            Objects.requireNonNull(activation, "activation");
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return x.columns();
        }
    }

    /** The sum of two values of one shape. */
    record Add(String name, Value a, Value b) implements Op {
        /** Checks the shapes. */
        public Add {
            requireOneShape(label("add", name), a, b);
        }

        @Override
        public List<Value> inputs() {
            return List.of(a, b);
        }

        @Override
        public Rows rows() {
            return a.rows();
        }

        @Override
        public int columns() {
            return a.columns();
        }
    }

    /** The product of two values of one shape, element by element: a gate and what it lets through. */
    record Multiply(String name, Value a, Value b) implements Op {
        /** Checks the shapes. */
        public Multiply {
            requireOneShape(label("multiply", name), a, b);
        }

        @Override
        public List<Value> inputs() {
            return List.of(a, b);
        }

        @Override
        public Rows rows() {
            return a.rows();
        }

        @Override
        public int columns() {
            return a.columns();
        }
    }

    /**
     * Attention per sequence and head. Every token attends to those that the spec's mask lets it see: the tokens of its
     * sequence; with a cache, all that the cache holds of its sequence, to which these tokens are appended first;
     * without keys and values of its own, what the cache holds already.
     *
     * @param q [tokens, heads · head_dim]
     * @param k [tokens, kv_heads · head_dim]; null for the cache's alone
     * @param v [tokens, kv_heads · value_dim]; null as {@code k} is
     * @param spec heads, dims, scale, mask and the rest
     * @param cache where earlier keys and values come from, or null
     */
    record Attention(String name, Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache) implements Op {
        /** Checks the shapes. */
        public Attention {
            String label = label("attention", name);
            Objects.requireNonNull(spec, "spec");
            requireHeads(label, "query", q, spec.heads(), spec.headDim());
            if (k != null || v != null || cache == null) {
                requireHeads(label, "key", k, spec.kvHeads(), spec.headDim());
                requireHeads(label, "value", v, spec.kvHeads(), spec.valueDim());
            }
            if (cache != null) {
                requireEqual(label, "spec has", spec.kvHeads(), "kv_heads, cache has", cache.spec().kvHeads());
                requireEqual(label, "spec has head_dim", spec.headDim(), "cache has", cache.spec().headDim());
                requireEqual(label, "spec has value_dim", spec.valueDim(), "cache has", cache.spec().valueDim());
                if (spec.rope() != cache.spec().rope()) {
                    throw new IllegalArgumentException(label + ": the cache turns keys by another RoPE than the spec");
                }
            }
        }

        private static void requireHeads(String label, String role, Value x, int heads, int dim) {
            Objects.requireNonNull(x, role);
            if (x.rows() != Rows.TOKENS) {
                throw new IllegalArgumentException(label + ": " + role + " must have a row per token, got " + x);
            }
            if (x.columns() != (long) heads * dim) {
                throw new IllegalArgumentException(
                        label + ": expected " + heads + " heads of " + dim + " columns, got " + role + ' ' + x);
            }
        }

        @Override
        public List<Value> inputs() {
            return k == null ? List.of(q) : List.of(q, k, v);
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return Math.multiplyExact(spec.heads(), spec.valueDim());
        }
    }

    /** One row per sequence from the rows of its tokens. An empty sequence gives 0. */
    record Pool(String name, Value x, Pooling mode) implements Op {
        /** Checks the shape. */
        public Pool {
            Objects.requireNonNull(x, "x");
            Objects.requireNonNull(mode, "mode");
            if (x.rows() != Rows.TOKENS) {
                throw new IllegalArgumentException(label("pool", name) + ": x must have a row per token, got " + x);
            }
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Rows rows() {
            return Rows.SEQUENCES;
        }

        @Override
        public int columns() {
            return x.columns();
        }
    }

    /** Divides each row by its L2 norm, or by 1e-12 where the norm is less. */
    record Normalize(String name, Value x) implements Op {
        /** Checks that x is there. */
        public Normalize {
            Objects.requireNonNull(x, "x");
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return x.columns();
        }
    }

    private static String label(String kind, String name) {
        return kind + " \"" + name + '"';
    }

    private static void requireEpsilon(String label, float epsilon) {
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(label + ": epsilon must be finite and not negative, got " + epsilon);
        }
    }

    private static void requireOneShape(String label, Value a, Value b) {
        Objects.requireNonNull(a, "a");
        Objects.requireNonNull(b, "b");
        if (a.rows() != b.rows() || a.columns() != b.columns()) {
            throw new IllegalArgumentException(label + ": a is " + a + ", b is " + b);
        }
    }

    private static void requireShape(String label, String role, Tensor tensor, int rank) {
        Objects.requireNonNull(tensor, role);
        if (tensor.dtype() != DType.F32) {
            throw new IllegalArgumentException(label + ": expected " + role + " of dtype F32, got " + tensor);
        }
        if (tensor.rank() != rank) {
            throw new IllegalArgumentException(
                    label + ": expected " + role + " with " + rank + " dimensions, got " + tensor);
        }
        for (int i = 0; i < rank; i++) {
            if (tensor.size(i) < 1 || tensor.size(i) > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        label + ": sizes must be 1 to " + Integer.MAX_VALUE + ", got " + role + ' ' + tensor);
            }
        }
    }

    private static void requireEqual(String label, String left, long leftSize, String right, long rightSize) {
        if (leftSize != rightSize) {
            throw new IllegalArgumentException(
                    label + ": " + left + ' ' + leftSize + ' ' + right + ' ' + rightSize);
        }
    }
}
