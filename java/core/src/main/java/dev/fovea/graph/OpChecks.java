package dev.fovea.graph;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Weight;
import java.util.Objects;

/** The single checks of the records of {@link Op}. Each names the op and both sizes when it fails. */
final class OpChecks {
    private OpChecks() {}

    static String label(String kind, String name) {
        return kind + " \"" + name + '"';
    }

    static void requireNorm(String label, Value x, Weight gamma, Weight beta, float epsilon) {
        requireFloats(label, "x", x);
        requireShape(label, "gamma", gamma, 1);
        requireEqual(label, "gamma has", gamma.size(0), "elements, x " + x + " has", x.columns());
        if (beta != null) {
            requireShape(label, "beta", beta, 1);
            requireEqual(label, "beta has", beta.size(0), "elements, x " + x + " has", x.columns());
        }
        requireEpsilon(label, epsilon);
    }

    static void requireHeadNorm(String label, int heads, Value x, Weight gamma, float epsilon) {
        requireShape(label, "gamma", gamma, 1);
        if (heads < 1) {
            throw new IllegalArgumentException(label + ": heads must be at least 1, got " + heads);
        }
        requireHeads(label, "x", x, heads, (int) gamma.size(0));
        requireEpsilon(label, epsilon);
    }

    private static void requireEpsilon(String label, float epsilon) {
        if (!(epsilon >= 0 && epsilon < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(label + ": epsilon must be finite and not negative, got " + epsilon);
        }
    }

    static void requireFloats(String label, String role, Value x) {
        Objects.requireNonNull(x, role);
        if (x.dtype() != DType.F32) {
            throw new IllegalArgumentException(label + ": expected " + role + " of dtype F32, got " + x);
        }
    }

    static void requireRows(String label, String role, Value x, Rows rows) {
        if (x.rows() != rows) {
            throw new IllegalArgumentException(label + ": " + role + " must have a row per "
                    + (rows == Rows.TOKENS ? "token" : "sequence") + ", got " + x);
        }
    }

    static void requireOneShape(String label, Value a, Value b) {
        requireFloats(label, "a", a);
        requireFloats(label, "b", b);
        if (a.rows() != b.rows() || a.columns() != b.columns()) {
            throw new IllegalArgumentException(label + ": a is " + a + ", b is " + b);
        }
    }

    static void requireShape(String label, String role, Weight weight, int rank) {
        Objects.requireNonNull(weight, role);
        if (weight.rank() != rank) {
            throw new IllegalArgumentException(
                    label + ": expected " + role + " with " + rank + " dimensions, got " + weight);
        }
        for (int i = 0; i < rank; i++) {
            if (weight.size(i) < 1 || weight.size(i) > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        label + ": sizes must be 1 to " + Integer.MAX_VALUE + ", got " + role + ' ' + weight);
            }
        }
    }

    static void requireEqual(String label, String left, long leftSize, String right, long rightSize) {
        if (leftSize != rightSize) {
            throw new IllegalArgumentException(
                    label + ": " + left + ' ' + leftSize + ' ' + right + ' ' + rightSize);
        }
    }

    static void requireHeads(String label, String role, Value x, int heads, int dim) {
        requireFloats(label, role, x);
        requireRows(label, role, x, Rows.TOKENS);
        if (x.columns() != (long) heads * dim) {
            throw new IllegalArgumentException(
                    label + ": expected " + heads + " heads of " + dim + " columns, got " + role + ' ' + x);
        }
    }

    static void requireFit(String label, AttentionSpec spec, AttentionSpec cache) {
        requireEqual(label, "spec has", spec.kvHeads(), "kv_heads, cache has", cache.kvHeads());
        requireEqual(label, "spec has head_dim", spec.headDim(), "cache has", cache.headDim());
        requireEqual(label, "spec has value_dim", spec.valueDim(), "cache has", cache.valueDim());
        if (!Objects.equals(spec.rope(), cache.rope())) {
            throw new IllegalArgumentException(label + ": the cache turns keys by another RoPE than the spec");
        }
    }

    static void requireGather(String label, Value x, Value indices) {
        requireFloats(label, "x", x);
        Objects.requireNonNull(indices, "indices");
        if (indices.dtype() != DType.I32 || indices.rows() != x.rows()) {
            throw new IllegalArgumentException(
                    label + ": expected indices of dtype I32 with a row for each of x " + x + ", got " + indices);
        }
    }

    static void requireEmbedding(String label, Weight words, float scale, Weight positions, int firstPosition,
            Weight type) {
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

    static void requireMatMul(String label, Value a, Value b, boolean transposeA) {
        requireFloats(label, "a", a);
        requireFloats(label, "b", b);
        requireRows(label, "a", a, Rows.TOKENS);
        requireRows(label, "b", b, transposeA ? Rows.TOKENS : Rows.SEQUENCES);
        if (transposeA) {
            requireColumns(label, "columns of a", a.columns(), "columns of b", b.columns());
        } else if (b.columns() % a.columns() != 0) {
            throw new IllegalArgumentException(label + ": expected columns of b in a multiple of " + a.columns()
                    + ", the columns of a " + a + ", got b " + b);
        }
    }

    /** That a value may have as many columns as the product of two sizes. */
    private static void requireColumns(String label, String left, int leftSize, String right, int rightSize) {
        if ((long) leftSize * rightSize > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(label + ": expected at most " + Integer.MAX_VALUE + " columns, got "
                    + leftSize + ' ' + left + " times " + rightSize + ' ' + right);
        }
    }

    static void requireRelativeBias(String label, int heads, Weight table, Value byQuery, Value byKey,
            DistanceBuckets buckets) {
        Objects.requireNonNull(buckets, "buckets");
        if (heads < 1) {
            throw new IllegalArgumentException(label + ": heads must be at least 1, got " + heads);
        }
        requireColumns(label, "heads", heads, "keys", buckets.keys());
        if ((table == null) == (byQuery == null)) {
            throw new IllegalArgumentException(label + ": expected a table or a value by query, got "
                    + (table == null ? "none" : "both"));
        }
        if (table != null) {
            requireShape(label, "table", table, 2);
            requireEqual(label, "table has", table.size(0), "rows instead of", 1);
            requireEqual(label, "table has", table.size(1), "columns instead of", (long) heads * buckets.buckets());
        }
        for (Value value : byKey == null ? new Value[] {byQuery} : new Value[] {byQuery, byKey}) {
            if (value != null) {
                requireHeads(label, value == byKey ? "value by key" : "value by query", value, heads, buckets.buckets());
            }
        }
    }

    static void requireAttention(String label, Value q, Value k, Value v, AttentionSpec spec, CacheSlot cache,
            Value bias) {
        Objects.requireNonNull(spec, "spec");
        requireColumns(label, "heads", spec.heads(), "value_dim", spec.valueDim());
        requireHeads(label, "query", q, spec.heads(), spec.headDim());
        if (k != null || v != null || cache == null) {
            requireHeads(label, "key", k, spec.kvHeads(), spec.headDim());
            requireHeads(label, "value", v, spec.kvHeads(), spec.valueDim());
        }
        if (cache != null) {
            requireFit(label, spec, cache.spec());
        }
        if (bias != null) {
            requireFloats(label, "bias", bias);
            requireRows(label, "bias", bias, Rows.TOKENS);
            if (bias.columns() % spec.heads() != 0) {
                throw new IllegalArgumentException(label + ": expected a bias of columns for each of " + spec.heads()
                        + " heads, got " + bias);
            }
        }
    }
}
