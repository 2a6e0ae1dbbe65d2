package dev.fovea.graph;

import static dev.fovea.graph.OpChecks.label;
import static dev.fovea.graph.OpChecks.requireEqual;
import static dev.fovea.graph.OpChecks.requireFloats;
import static dev.fovea.graph.OpChecks.requireOneShape;
import static dev.fovea.graph.OpChecks.requireRows;
import static dev.fovea.graph.OpChecks.requireShape;

import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Pooling;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Weight;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * One operation of a graph: its inputs and its constants. Op {@code i} of a graph yields value {@code i}.
 *
 * <p>Constants are weights of any layout and strides. The records check all shapes on construction and
 * throw {@link IllegalArgumentException}, naming op, value and both sizes. The formulas are those of
 * {@code native/include/fovea/fovea.h}.
 */
public sealed interface Op permits Op.Unary, Op.Binary, Op.Embedding, Op.Attention, Op.Append, Op.Gather, BatchOp {
    /** The name of the op and of its value. */
    String name();

    /** The values it reads, in order; one that it reads twice stands there twice. */
    List<Value> inputs();

    /** The weights it reads besides, absent ones left out. */
    default List<Weight> constants() {
        return List.of();
    }

    /** What a row of its value stands for. */
    Rows rows();

    /** The columns of its value. */
    int columns();

    /** The type of its value's elements. */
    default DType dtype() {
        return DType.F32;
    }

    /** An op that reads one value; its own has the same shape, unless it says otherwise. */
    sealed interface Unary extends Op {
        /** What it reads. */
        Value x();

        @Override
        default List<Value> inputs() {
            return List.of(x());
        }

        @Override
        default Rows rows() {
            return x().rows();
        }

        @Override
        default int columns() {
            return x().columns();
        }
    }

    /** An op that reads two values; its own has the shape of the first, unless it says otherwise. */
    sealed interface Binary extends Op {
        /** The first. */
        Value a();

        /** The second. */
        Value b();

        @Override
        default List<Value> inputs() {
            return List.of(a(), b());
        }

        @Override
        default Rows rows() {
            return a().rows();
        }

        @Override
        default int columns() {
            return a().columns();
        }
    }

    /**
     * The sum of word, position and type embeddings of the session's token ids.
     *
     * @param words [vocabulary, width]
     * @param scale what word embeddings are multiplied by, finite: √width in Vaswani et al., 1 elsewhere
     * @param positions [positions, width], or null; a sequence's first token takes row {@code firstPosition}
     * @param firstPosition 0 for BERT, 2 for RoBERTa
     * @param type [width], added to every token, or null
     */
    record Embedding(String name, Weight words, float scale, Weight positions, int firstPosition, Weight type)
            implements Op {
        /** Checks the shapes. */
        public Embedding {
            OpChecks.requireEmbedding(label("embedding", name), words, scale, positions, firstPosition, type);
        }

        @Override
        public List<Value> inputs() {
            return List.of();
        }

        @Override
        public List<Weight> constants() {
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
     * @param beta [columns of x], or null for none
     * @param epsilon added to the variance, finite and not negative
     */
    record LayerNorm(String name, Value x, Weight gamma, Weight beta, float epsilon) implements Unary, InPlace {
        /** Checks the shapes. */
        public LayerNorm {
            OpChecks.requireNorm(label("layer norm", name), x, gamma, beta, epsilon);
        }

        @Override
        public List<Weight> constants() {
            return Stream.of(gamma, beta).filter(Objects::nonNull).toList();
        }
    }

    /**
     * Divides each row by the root of its mean square, then scales it.
     *
     * @param gamma [columns of x]
     * @param epsilon added to the mean square, finite and not negative
     */
    record RmsNorm(String name, Value x, Weight gamma, float epsilon) implements Unary, InPlace {
        /** Checks the shapes. */
        public RmsNorm {
            OpChecks.requireNorm(label("RMS norm", name), x, gamma, null, epsilon);
        }

        @Override
        public List<Weight> constants() {
            return List.of(gamma);
        }
    }

    /**
     * {@code x Wᵀ + bias}.
     *
     * @param weight W [outputs, inputs]
     * @param bias [outputs], or null
     */
    record Linear(String name, Value x, Weight weight, Weight bias) implements Unary {
        /** Checks the shapes. */
        public Linear {
            String label = label("linear", name);
            requireFloats(label, "x", x);
            requireShape(label, "weight", weight, 2);
            requireEqual(label, "weight has", weight.size(1), "inputs, x " + x + " has", x.columns());
            if (bias != null) {
                requireShape(label, "bias", bias, 1);
                requireEqual(label, "bias has", bias.size(0), "elements, weight has outputs", weight.size(0));
            }
        }

        @Override
        public List<Weight> constants() {
            return Stream.of(weight, bias).filter(Objects::nonNull).toList();
        }

        @Override
        public int columns() {
            return (int) weight.size(0);
        }
    }

    /** An elementwise function. */
    record Activate(String name, Value x, Activation activation) implements Unary, InPlace {
        /** Checks that both are there. */
        public Activate {
            requireFloats(label("activate", name), "x", x);
            Objects.requireNonNull(activation, "activation");
        }
    }

    /** The sum of two values of one shape. */
    record Add(String name, Value a, Value b) implements Binary, InPlace {
        /** Checks the shapes. */
        public Add {
            requireOneShape(label("add", name), a, b);
        }
    }

    /** The product of two values of one shape, element by element: a gate and what it lets through. */
    record Multiply(String name, Value a, Value b) implements Binary, InPlace {
        /** Checks the shapes. */
        public Multiply {
            requireOneShape(label("multiply", name), a, b);
        }
    }

    /**
     * A product per sequence, whose matrices both come from the batch: {@code A_s B_s} or {@code A_sᵀ B_s}.
     *
     * @param a [tokens, k]: the rows of sequence s are A_s
     * @param b not transposed, [sequences, k · n], whose row s is B_s [k, n], dense; transposed, [tokens, n]
     * @param transposeA whether A_s is transposed: the result is then [sequences, k · n], else [tokens, n]
     */
    record MatMul(String name, Value a, Value b, boolean transposeA) implements Binary {
        /** Checks the shapes. */
        public MatMul {
            OpChecks.requireMatMul(label("matmul", name), a, b, transposeA);
        }

        @Override
        public Rows rows() {
            return transposeA ? Rows.SEQUENCES : Rows.TOKENS;
        }

        @Override
        public int columns() {
            return transposeA ? a.columns() * b.columns() : b.columns() / a.columns();
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
     * @param bias what is added to scores, as {@link BatchOp.RelativeBias} yields it, or null
     */
    record Attention(String name, Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache, Value bias)
            implements Op {
        /** Checks the shapes. */
        public Attention {
            OpChecks.requireAttention(label("attention", name), q, k, v, spec, cache, bias);
        }

        @Override
        public List<Value> inputs() {
            return k == null ? List.of(q) : bias == null ? List.of(q, k, v) : List.of(q, k, v, bias);
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return spec.heads() * spec.valueDim();
        }
    }

    /**
     * Appends keys and values to a cache, for attention of another graph. Its value, of no use to other ops, is
     * {@code k} as it is.
     *
     * @param k [tokens, kv_heads · head_dim]
     * @param v [tokens, kv_heads · value_dim]
     */
    record Append(String name, Value k, Value v, CacheSlot cache) implements Op {
        /** Checks the shapes. */
        public Append {
            String label = label("append", name);
            Objects.requireNonNull(cache, "cache");
            OpChecks.requireHeads(label, "key", k, cache.spec().kvHeads(), cache.spec().headDim());
            OpChecks.requireHeads(label, "value", v, cache.spec().kvHeads(), cache.spec().valueDim());
        }

        @Override
        public List<Value> inputs() {
            return List.of(k, v);
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return k.columns();
        }
    }

    /** One row per sequence from the rows of its tokens. An empty sequence gives 0. */
    record Pool(String name, Value x, Pooling mode) implements Unary {
        /** Checks the shape. */
        public Pool {
            Objects.requireNonNull(mode, "mode");
            requireFloats(label("pool", name), "x", x);
            requireRows(label("pool", name), "x", x, Rows.TOKENS);
        }

        @Override
        public Rows rows() {
            return Rows.SEQUENCES;
        }
    }

    /** Divides each row by its L2 norm, or by 1e-12 where the norm is less. */
    record Normalize(String name, Value x) implements Unary, InPlace {
        /** Checks that x is there. */
        public Normalize {
            requireFloats(label("normalize", name), "x", x);
        }
    }

    /** The logarithm of the softmax of each row: {@code x − log Σ exp x}. */
    record LogSoftmax(String name, Value x) implements Unary, InPlace {
        /** Checks that x is there. */
        public LogSoftmax {
            requireFloats(label("log softmax", name), "x", x);
        }
    }

    /**
     * The columns of the largest elements of each row, the largest first; of equals, the lower column first.
     *
     * @param count how many, 1 to the columns of x; 1 is argmax
     */
    record TopK(String name, Value x, int count) implements Unary {
        /** Checks the count. */
        public TopK {
            requireFloats(label("top k", name), "x", x);
            if (count < 1 || count > x.columns()) {
                throw new IllegalArgumentException(label("top k", name) + ": count must be 1 to " + x.columns()
                        + ", the columns of x " + x + ", got " + count);
            }
        }

        @Override
        public int columns() {
            return count;
        }

        @Override
        public DType dtype() {
            return DType.I32;
        }
    }

    /** The elements of each row of x that a row of indices names, as {@link TopK} yields them. */
    record Gather(String name, Value x, Value indices) implements Op {
        /** Checks the shapes. */
        public Gather {
            OpChecks.requireGather(label("gather", name), x, indices);
        }

        @Override
        public List<Value> inputs() {
            return List.of(x, indices);
        }

        @Override
        public Rows rows() {
            return x.rows();
        }

        @Override
        public int columns() {
            return indices.columns();
        }
    }
}
