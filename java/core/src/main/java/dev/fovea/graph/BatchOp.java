package dev.fovea.graph;

import static dev.fovea.graph.OpChecks.label;
import static dev.fovea.graph.OpChecks.requireShape;

import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.Weight;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * Ops of what a batch says beside its ids: the types of tokens, and what distances between them are worth; and those that
 * work on every head's part of a row.
 */
public sealed interface BatchOp extends Op {
    /**
     * What the distance of key and query adds to the scores of an attention: for the token of number i in its sequence,
     * head h and the token of number j, {@code byQuery[i][h, b] + byKey[j][h, b]} with b the bucket of j − i.
     *
     * @param table [1, heads · buckets]: what all queries add, instead of {@code byQuery}; or null
     * @param byQuery [tokens, heads · buckets], or null
     * @param byKey [tokens, heads · buckets], or null
     * @param buckets of distances; their keys are the longest sequence
     * @param cache where the tokens before these are, which are counted too; or null. With a table alone.
     */
    record RelativeBias(String name, int heads, Weight table, Value byQuery, Value byKey, DistanceBuckets buckets,
            CacheGroup cache) implements BatchOp {
        /** Checks the shapes. */
        public RelativeBias {
            OpChecks.requireRelativeBias(label("relative bias", name), heads, table, byQuery, byKey, buckets);
            if (cache != null && (table == null || byKey != null)) {
                throw new IllegalArgumentException(label("relative bias", name) + ": expected a table alone with a cache, got "
                        + (table == null ? "a value by query" : "a value by key"));
            }
        }

        /** Of sequences that come as a whole. */
        public RelativeBias(String name, int heads, Weight table, Value byQuery, Value byKey, DistanceBuckets buckets) {
            this(name, heads, table, byQuery, byKey, buckets, null);
        }

        @Override
        public List<Value> inputs() {
            return Stream.of(byQuery, byKey).filter(Objects::nonNull).toList();
        }

        @Override
        public List<Weight> constants() {
            return Stream.of(table).filter(Objects::nonNull).toList();
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return heads * buckets.keys();
        }
    }

    /**
     * Every head's part of a row times a matrix of that head: {@code out[h] = x[h] W_hᵀ}.
     *
     * @param x [tokens, heads · dim]
     * @param weight [heads · outputs, dim]: the matrices of all heads, one below the other
     */
    record HeadLinear(String name, int heads, Value x, Weight weight) implements BatchOp {
        /** Checks the shapes. */
        public HeadLinear {
            String label = label("head linear", name);
            requireShape(label, "weight", weight, 2);
            OpChecks.requireHeads(label, "x", x, heads, (int) weight.size(1));
            if (weight.size(0) % heads != 0) {
                throw new IllegalArgumentException(label + ": expected rows for each of " + heads + " heads, got " + weight);
            }
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Weight> constants() {
            return List.of(weight);
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

    /**
     * Every head's part of a row divided by the root of its mean square and scaled by gamma, which all heads share.
     *
     * @param x [tokens, heads · dim]
     * @param gamma [dim]
     * @param epsilon added to the mean square, finite and not negative
     */
    record HeadNorm(String name, int heads, Value x, Weight gamma, float epsilon) implements BatchOp, InPlace {
        /** Checks the shapes. */
        public HeadNorm {
            OpChecks.requireHeadNorm(label("head norm", name), heads, x, gamma, epsilon);
        }

        @Override
        public List<Value> inputs() {
            return List.of(x);
        }

        @Override
        public List<Weight> constants() {
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
     * The embedding of each token's type: which text of a pair it belongs to.
     *
     * @param table [types, width]
     */
    record TokenTypes(String name, Weight table) implements BatchOp {
        /** Checks the shape. */
        public TokenTypes {
            requireShape(label("token types", name), "table", table, 2);
        }

        @Override
        public List<Value> inputs() {
            return List.of();
        }

        @Override
        public List<Weight> constants() {
            return List.of(table);
        }

        @Override
        public Rows rows() {
            return Rows.TOKENS;
        }

        @Override
        public int columns() {
            return (int) table.size(1);
        }
    }
}
