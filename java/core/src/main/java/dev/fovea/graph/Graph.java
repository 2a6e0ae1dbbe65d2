package dev.fovea.graph;

import dev.fovea.attention.AttentionSpec;
import dev.fovea.tensor.Tensor;
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
    private final List<CacheSlot> caches;
    private final List<Value> outputs;

    private Graph(Builder builder, List<Value> outputs) {
        this.ops = List.copyOf(builder.ops);
        this.values = List.copyOf(builder.values);
        this.caches = List.copyOf(builder.caches);
        this.outputs = outputs;
    }

    /** A builder of an empty graph. */
    public static Builder builder() {
        return new Builder(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), null);
    }

    /** The ops, each after all that it reads. */
    public List<Op> ops() {
        return ops;
    }

    /** The values; value {@code i} is what op {@code i} yields. */
    public List<Value> values() {
        return values;
    }

    /** The caches that a session brings along, in the order of their making. */
    public List<CacheSlot> caches() {
        return caches;
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
        private final List<Op> ops;
        private final List<Value> values;
        private final List<CacheSlot> caches;
        private final String name;

        private Builder(List<Op> ops, List<Value> values, List<CacheSlot> caches, String name) {
            this.ops = ops;
            this.values = values;
            this.caches = caches;
            this.name = name;
        }

        /**
         * This builder under a name, which the values made through it bear: {@code g.named("query").linear(…)}.
         * It appends to the same graph. Without a name a value is called for its op and its number.
         */
        public Builder named(String name) {
            return new Builder(ops, values, caches, Objects.requireNonNull(name, "name"));
        }

        /**
         * The embeddings of the session's token ids, [tokens, width].
         *
         * @param words F32 [vocabulary, width]
         * @param positions F32 [positions, width], or null
         * @param firstPosition the row of {@code positions} that a sequence's first token takes
         * @param type F32 [width], or null
         */
        public Value embedding(Tensor words, Tensor positions, int firstPosition, Tensor type) {
            return embedding(words, 1, positions, firstPosition, type);
        }

        /**
         * The embeddings of the session's token ids, [tokens, width], those of words multiplied by {@code scale}. Where
         * the graph appends to caches, positions go on behind what the first of them holds.
         */
        public Value embedding(Tensor words, float scale, Tensor positions, int firstPosition, Tensor type) {
            return append(new Op.Embedding(nameOf("embedding"), words, scale, positions, firstPosition, type));
        }

        /**
         * {@code x} with each row normalised, scaled by gamma and shifted by beta.
         *
         * @param gamma F32 [columns of x]
         * @param beta F32 [columns of x]
         */
        public Value layerNorm(Value x, Tensor gamma, Tensor beta, float epsilon) {
            return append(new Op.LayerNorm(nameOf("norm"), x, gamma, beta, epsilon));
        }

        /**
         * {@code x} with each row divided by the root of its mean square and scaled by gamma.
         *
         * @param gamma F32 [columns of x]
         */
        public Value rmsNorm(Value x, Tensor gamma, float epsilon) {
            return append(new Op.RmsNorm(nameOf("norm"), x, gamma, epsilon));
        }

        /**
         * {@code x Wᵀ + bias}, [rows of x, outputs].
         *
         * @param weight F32 [outputs, columns of x]
         * @param bias F32 [outputs], or null
         */
        public Value linear(Value x, Tensor weight, Tensor bias) {
            return append(new Op.Linear(nameOf("linear"), x, weight, bias));
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

        /** A place for a cache of the key/value heads, dims and RoPE of {@code spec}. */
        public CacheSlot cache(AttentionSpec spec) {
            CacheSlot slot = new CacheSlot(caches.size(), Objects.requireNonNull(spec, "spec"));
            caches.add(slot);
            return slot;
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
            return append(new Op.Attention(nameOf("attention"), q, k, v, spec, null));
        }

        /**
         * As {@link #attention(Value, Value, Value, AttentionSpec)}, of sequences that go on: keys and values are
         * appended to a cache, and every token attends to all that the cache then holds of its sequence.
         */
        public Value attention(Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache) {
            return append(new Op.Attention(nameOf("attention"), q, k, v, spec, requireOwn(cache)));
        }

        /**
         * Every token attends to what a cache holds of its sequence: keys and values of another, such as an encoder's
         * result, [tokens, heads · value_dim].
         *
         * @param q [tokens, heads · head_dim]
         */
        public Value crossAttention(Value q, AttentionSpec spec, CacheSlot cache) {
            return append(new Op.Attention(nameOf("attention"), q, null, null, spec, requireOwn(cache)));
        }

        /** One row per sequence, [sequences, columns of x], from {@code x} with a row per token. */
        public Value pool(Value x, Pooling mode) {
            return append(new Op.Pool(nameOf("pool"), x, mode));
        }

        /** {@code x} with each row divided by its L2 norm. */
        public Value normalize(Value x) {
            return append(new Op.Normalize(nameOf("normalize"), x));
        }

        /**
         * The graph that computes these values. Ops that no output depends on are not run.
         *
         * @throws IllegalArgumentException if there is no output, or one comes from another builder
         */
        public Graph build(Value... outputs) {
            if (outputs.length == 0) {
                throw new IllegalArgumentException("a graph needs at least one output, got none");
            }
            List.of(outputs).forEach(this::requireOwn);
            return new Graph(this, List.of(outputs));
        }

        private Value append(Op op) {
            op.inputs().forEach(this::requireOwn);
            Value value = new Value(ops.size(), op.rows(), op.columns(), op.name());
            ops.add(op);
            values.add(value);
            return value;
        }

        private String nameOf(String kind) {
            return name != null ? name : kind + ops.size();
        }

        private CacheSlot requireOwn(CacheSlot slot) {
            if (slot.index() < 0 || slot.index() >= caches.size() || caches.get(slot.index()) != slot) {
                throw new IllegalArgumentException("cache " + slot.index() + " comes from another builder");
            }
            return slot;
        }

        private void requireOwn(Value value) {
            if (value.id() < 0 || value.id() >= values.size() || values.get(value.id()) != value) {
                throw new IllegalArgumentException("value " + value + " comes from another builder");
            }
        }
    }
}
