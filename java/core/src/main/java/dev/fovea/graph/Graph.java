package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * What a model computes, from the token ids of a batch of sequences to its outputs. Immutable.
 *
 * <p>A model's forward pass writes it from top to bottom:
 *
 * <pre>{@code
 * var g = Graph.builder();
 * Value hidden = g.embedding(words, positions, 0, type);
 * Value inner = g.activate(g.linear(hidden, w1, b1), Activation.GELU_ERF);
 * Value out = g.layerNorm(g.add(hidden, g.linear(inner, w2, b2)), gamma, beta, 1e-12f);
 * Graph graph = g.build(g.normalize(g.pool(out, Pooling.MEAN)));
 * }</pre>
 *
 * <p>Nothing is computed before {@link Plan#compile} has made it into steps and a {@link Session} runs them.
 */
public final class Graph {
    private final List<Op> ops;
    private final List<Value> values;
    private final List<CacheGroup> caches;
    private final List<Value> outputs;
    private final int maxTokens;

    private Graph(Builder builder, List<Value> outputs) {
        this.ops = List.copyOf(builder.parts.ops);
        this.values = List.copyOf(builder.parts.values);
        this.caches = List.copyOf(builder.parts.caches);
        this.maxTokens = builder.parts.maxTokens;
        this.outputs = outputs;
    }

    /** A builder of an empty graph. */
    public static Builder builder() {
        return new Builder(new Parts(), null);
    }

    /** The ops, each after all that it reads. */
    public List<Op> ops() {
        return ops;
    }

    /** The values; value {@code i} is what op {@code i} yields. */
    public List<Value> values() {
        return values;
    }

    /** The caches that a session brings along: a {@link CacheSet} for each group, in this order. */
    public List<CacheGroup> caches() {
        return caches;
    }

    /** The most tokens of a sequence in one run. */
    public int maxTokens() {
        return maxTokens;
    }

    /** The values that a session keeps for its caller, at least one. */
    public List<Value> outputs() {
        return outputs;
    }

    /**
     * Appends ops to a graph. Not safe to share between threads.
     *
     * <p>Every method checks shapes at once and throws {@link IllegalArgumentException}, naming the values
     * and both sizes, where they do not fit, or where a value comes from another builder; and
     * {@link NullPointerException} for a null that its op does not allow.
     */
    public static final class Builder {
        private final Parts parts;
        private final String name;

        private Builder(Parts parts, String name) {
            this.parts = parts;
            this.name = name;
        }

        /**
         * This builder under a name, which the values made through it bear: {@code g.named("query").linear(…)}.
         * It appends to the same graph. Without a name a value is called for its op and its number.
         */
        public Builder named(String name) {
            return new Builder(parts, Objects.requireNonNull(name, "name"));
        }

        /** Refuses sequences of more tokens than this in a run: what the model was trained for, for example. */
        public Builder maxTokens(int maxTokens) {
            if (maxTokens < 1) {
                throw new IllegalArgumentException("max_tokens must be at least 1, got " + maxTokens);
            }
            parts.maxTokens = maxTokens;
            return this;
        }

        /**
         * The embeddings of the session's token ids, [tokens, width].
         *
         * @param words [vocabulary, width]
         * @param positions [positions, width], or null
         * @param firstPosition the row of {@code positions} that a sequence's first token takes
         * @param type [width], or null
         */
        public Value embedding(Weight words, Weight positions, int firstPosition, Weight type) {
            return embedding(words, 1, positions, firstPosition, type);
        }

        /** As above, of floating-point tensors. */
        public Value embedding(Tensor words, Tensor positions, int firstPosition, Tensor type) {
            return embedding(words, 1, positions, firstPosition, type);
        }

        /**
         * The embeddings of the session's token ids, [tokens, width], those of words multiplied by {@code scale}. Where
         * the graph appends to caches, positions go on behind what the first of them holds.
         */
        public Value embedding(Weight words, float scale, Weight positions, int firstPosition, Weight type) {
            return append(new Op.Embedding(nameOf("embedding"), words, scale, positions, firstPosition, type));
        }

        /** As above, of floating-point tensors. */
        public Value embedding(Tensor words, float scale, Tensor positions, int firstPosition, Tensor type) {
            return embedding(weight("words", words), scale, weight("positions", positions), firstPosition, weight("type", type));
        }

        /**
         * {@code x} with each row normalised, scaled by gamma and shifted by beta.
         *
         * @param gamma [columns of x]
         * @param beta [columns of x], or null for no shift
         */
        public Value layerNorm(Value x, Weight gamma, Weight beta, float epsilon) {
            return append(new Op.LayerNorm(nameOf("norm"), x, gamma, beta, epsilon));
        }

        /** As above, of floating-point tensors. */
        public Value layerNorm(Value x, Tensor gamma, Tensor beta, float epsilon) {
            return layerNorm(x, weight("gamma", gamma), weight("beta", beta), epsilon);
        }

        /**
         * {@code x} with each row divided by the root of its mean square and scaled by gamma.
         *
         * @param gamma [columns of x]
         */
        public Value rmsNorm(Value x, Weight gamma, float epsilon) {
            return append(new Op.RmsNorm(nameOf("norm"), x, gamma, epsilon));
        }

        /** As above, of a floating-point tensor. */
        public Value rmsNorm(Value x, Tensor gamma, float epsilon) {
            return rmsNorm(x, weight("gamma", gamma), epsilon);
        }

        /**
         * {@code x Wᵀ + bias}, [rows of x, outputs].
         *
         * @param weight [outputs, columns of x]
         * @param bias [outputs], or null
         */
        public Value linear(Value x, Weight weight, Weight bias) {
            return append(new Op.Linear(nameOf("linear"), x, weight, bias));
        }

        /** As above, of floating-point tensors. */
        public Value linear(Value x, Tensor weight, Tensor bias) {
            return linear(x, weight("weight", weight), weight("bias", bias));
        }

        /** {@code activation(x)}, element by element. */
        public Value activate(Value x, Activation activation) {
            return append(new Op.Activate(nameOf("activate"), x, activation));
        }

        /** {@code a + b}, two values of one shape. */
        public Value add(Value a, Value b) {
            return append(new Op.Add(nameOf("add"), a, b));
        }

        /** {@code a ⊙ b}, two values of one shape, element by element. */
        public Value multiply(Value a, Value b) {
            return append(new Op.Multiply(nameOf("multiply"), a, b));
        }

        /**
         * A product of two values per sequence, {@code A_s B_s}: every token's row times the matrix of its sequence,
         * [tokens, n].
         *
         * @param a [tokens, k]
         * @param b [sequences, k · n]; row s is the matrix B_s [k, n], dense
         */
        public Value matmul(Value a, Value b) {
            return append(new Op.MatMul(nameOf("matmul"), a, b, false));
        }

        /**
         * A product of two values per sequence, {@code A_sᵀ B_s}, [sequences, k · n]; an empty sequence gives 0.
         *
         * @param a [tokens, k]
         * @param b [tokens, n]
         */
        public Value transposedMatmul(Value a, Value b) {
            return append(new Op.MatMul(nameOf("matmul"), a, b, true));
        }

        /** A group of caches that are filled together; see {@link CacheGroup}. */
        public CacheGroup caches() {
            CacheGroup group = new CacheGroup(parts.caches.size());
            parts.caches.add(group);
            return group;
        }

        /**
         * Every token attends to the tokens of its sequence, those that the spec's mask lets it see:
         * {@code softmax(scale Q Kᵀ) V} per head, [tokens, heads · value_dim].
         *
         * @param q [tokens, heads · head_dim]
         * @param k [tokens, kv_heads · head_dim]
         * @param v [tokens, kv_heads · value_dim]
         */
        public Value attention(Value q, Value k, Value v, AttentionSpec spec) {
            return append(new Op.Attention(nameOf("attention"), q, k, v, spec, null, null));
        }

        /** As above, with a bias that is added to scores, which {@link #relativeBias} yields. */
        public Value attention(Value q, Value k, Value v, AttentionSpec spec, Value bias) {
            return append(new Op.Attention(nameOf("attention"), q, k, v, spec, null, bias));
        }

        /** What the distance of key and query adds to scores: either a table or values; see {@link BatchOp.RelativeBias}. */
        public Value relativeBias(int heads, Weight table, Value byQuery, Value byKey, DistanceBuckets buckets) {
            return append(new BatchOp.RelativeBias(nameOf("relative_bias"), heads, table, byQuery, byKey, buckets));
        }

        /** As {@link #relativeBias}, of a table, for tokens that follow those in a group of caches of this graph. */
        public Value relativeBias(int heads, Weight table, DistanceBuckets buckets, CacheGroup cache) {
            return append(new BatchOp.RelativeBias(nameOf("relative_bias"), heads, table, null, null, buckets, cache));
        }

        /** Every head's part of a row times a matrix of that head; see {@link BatchOp.HeadLinear}. */
        public Value headLinear(int heads, Value x, Weight weight) {
            return append(new BatchOp.HeadLinear(nameOf("head_linear"), heads, x, weight));
        }

        /** Every head's part of a row normalised as {@link #rmsNorm} does it; see {@link BatchOp.HeadNorm}. */
        public Value headNorm(int heads, Value x, Weight gamma, float epsilon) {
            return append(new BatchOp.HeadNorm(nameOf("head_norm"), heads, x, gamma, epsilon));
        }

        /** The embedding of each token's type, [tokens, width], of which a run is told beside the ids. */
        public Value tokenTypes(Weight table) {
            return append(new BatchOp.TokenTypes(nameOf("token_types"), table));
        }

        /** As above, of sequences that go on: keys and values are appended to a cache, and all that it holds is attended to. */
        public Value attention(Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache) {
            return attention(q, k, v, spec, cache, null);
        }

        /** As above, with what {@link #relativeBias} of the cache's group yields; or null. */
        public Value attention(Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache, Value bias) {
            return append(new Op.Attention(nameOf("attention"), q, k, v, spec, requireUnused(cache), bias));
        }

        /**
         * Appends keys and values to a cache, which attention of another graph reads, such as a decoder's of what an
         * encoder made.
         *
         * @param k [tokens, kv_heads · head_dim]
         * @param v [tokens, kv_heads · value_dim]
         * @throws IllegalArgumentException if the cache is read or appended to before
         */
        public void append(Value k, Value v, CacheSlot cache) {
            append(new Op.Append(nameOf("append"), k, v, requireUnused(cache)));
        }

        /** Every token attends to what a cache holds of its sequence, such as an encoder's result, [tokens, heads · value_dim]. */
        public Value crossAttention(Value q, AttentionSpec spec, CacheSlot cache) {
            return append(new Op.Attention(nameOf("attention"), q, null, null, spec, requireOwn(cache), null));
        }

        /** One row per sequence, [sequences, columns of x], from {@code x} with a row per token. */
        public Value pool(Value x, Pooling mode) {
            return append(new Op.Pool(nameOf("pool"), x, mode));
        }

        /** {@code x} with each row divided by its L2 norm. */
        public Value normalize(Value x) {
            return append(new Op.Normalize(nameOf("normalize"), x));
        }

        /** The logarithm of the softmax of each row of {@code x}. */
        public Value logSoftmax(Value x) {
            return append(new Op.LogSoftmax(nameOf("log_softmax"), x));
        }

        /**
         * The columns of the largest elements of each row, I32 [rows of x, count]: the largest first; of equals, the
         * lower column first. A count of 1 is argmax.
         */
        public Value topK(Value x, int count) {
            return append(new Op.TopK(nameOf("top_k"), x, count));
        }

        /**
         * The elements of each row of {@code x} that {@code indices} name, [rows of x, columns of indices].
         *
         * @param indices what {@link #topK} yields
         */
        public Value gather(Value x, Value indices) {
            return append(new Op.Gather(nameOf("gather"), x, indices));
        }

        /**
         * The graph that computes these values. Ops that no output depends on are not run, but those that append to
         * caches are.
         *
         * @throws IllegalArgumentException if there is no output, one comes from another builder, or a group of caches
         *     has some that ops append to and some that none does
         */
        public Graph build(Value... outputs) {
            if (outputs.length == 0) {
                throw new IllegalArgumentException("a graph needs at least one output, got none");
            }
            for (Value output : outputs) {
                requireOwn(output);
            }
            for (CacheGroup group : parts.caches) {
                group.requireWhole(parts.ops);
            }
            return new Graph(this, List.of(outputs));
        }

        private Value append(Op op) {
            for (Value input : op.inputs()) {
                requireOwn(input);
            }
            Value value = new Value(parts.ops.size(), op.rows(), op.columns(), op.dtype(), op.name());
            parts.ops.add(op);
            parts.values.add(value);
            return value;
        }

        private Weight weight(String role, Tensor tensor) {
            if (tensor != null && !tensor.dtype().isFloatingPoint()) {
                throw new IllegalArgumentException('"' + nameOf("op") + "\": expected " + role
                        + " of dtype F32, F16 or BF16, got " + tensor);
            }
            return tensor == null ? null : Weight.of(tensor);
        }

        private String nameOf(String kind) {
            return name != null ? name : kind + parts.ops.size();
        }

        /** Ops fill a cache once, before they read it: a run would else read rows that nobody has written. */
        private CacheSlot requireUnused(CacheSlot slot) {
            requireOwn(slot);
            for (Op op : parts.ops) {
                if (slot.equals(CacheGroup.slotOf(op))) {
                    throw new IllegalArgumentException("cache " + slot + " is already used by \"" + op.name()
                            + "\": append to it once, and before it is read");
                }
            }
            return slot;
        }

        private CacheSlot requireOwn(CacheSlot slot) {
            CacheGroup group = slot.group();
            if (group.index() >= parts.caches.size() || parts.caches.get(group.index()) != group) {
                throw new IllegalArgumentException("cache " + slot + " comes from another builder");
            }
            return slot;
        }

        private void requireOwn(Value value) {
            if (value.id() < 0 || value.id() >= parts.values.size() || parts.values.get(value.id()) != value) {
                throw new IllegalArgumentException("value " + value + " comes from another builder");
            }
        }
    }

    /** What builders of one graph share. */
    private static final class Parts {
        private final List<Op> ops = new ArrayList<>();
        private final List<Value> values = new ArrayList<>();
        private final List<CacheGroup> caches = new ArrayList<>();
        private int maxTokens = Integer.MAX_VALUE;
    }
}
