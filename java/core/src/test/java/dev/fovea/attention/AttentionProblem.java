package dev.fovea.attention;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The values of an attention, apart from where they lie.
 *
 * @param q per sequence [queries, heads, head_dim]
 * @param k per sequence [keys, kv_heads, head_dim], not turned
 * @param v per sequence [keys, kv_heads, value_dim]
 * @param storage the type that turned keys, and values, are rounded to; F32 without a cache
 * @param mask 0 where masked, or null
 * @param bias added to the scores, or null
 */
record AttentionProblem(AttentionSpec spec, int[] queries, int[] keys, float[][] q, float[][] k, float[][] v,
        DType storage, Pairs mask, Pairs bias) {
    /** Values of [sequences, heads, queries, keys], of which all dimensions but the last may be 1 and stand for all. */
    record Pairs(int sequences, int heads, int queries, int keys, float[] values) {
        float at(int s, int h, int i, int j) {
            return values[index(s, h, i, j)];
        }

        int index(int s, int h, int i, int j) {
            int row = ((sequences == 1 ? 0 : s) * heads + (heads == 1 ? 0 : h)) * queries + (queries == 1 ? 0 : i);
            return row * keys + j;
        }
    }

    /** The values that a case asks for. */
    static AttentionProblem of(AttentionCase from) {
        RandomGenerator random = new SplittableRandom(from.seed());
        AttentionSpec spec = from.spec();
        int[] queries = from.queries().stream().mapToInt(Integer::intValue).toArray();
        int[] keys = from.keys().stream().mapToInt(Integer::intValue).toArray();
        float[][] q = new float[queries.length][];
        float[][] k = new float[queries.length][];
        float[][] v = new float[queries.length][];
        for (int s = 0; s < queries.length; s++) {
            q[s] = values(random, queries[s] * spec.heads() * spec.headDim(), from.range(), from.qType());
            k[s] = values(random, keys[s] * spec.kvHeads() * spec.headDim(), 1, from.kvType());
            v[s] = values(random, keys[s] * spec.kvHeads() * spec.valueDim(), 1, from.kvType());
        }
        DType storage = from.cache() == null ? DType.F32 : from.cache();
        var problem = new AttentionProblem(spec, queries, keys, q, k, v, storage, mask(random, from),
                bias(random, from));
        if (from.poison()) {
            problem.poison(random);
        }
        return problem;
    }

    private static float[] values(RandomGenerator random, int count, float range, DType type) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = Elements.round((2 * random.nextFloat() - 1) * range, type);
        }
        return values;
    }

    private static Pairs mask(RandomGenerator random, AttentionCase from) {
        Pairs mask = pairs(from.mask(), from);
        if (mask != null) {
            float density = new float[] {0.05f, 0.5f, 0.95f}[random.nextInt(3)];
            for (int i = 0; i < mask.values().length; i++) {
                mask.values()[i] = random.nextFloat() < density ? 1 + random.nextInt(255) : 0;
            }
            blankRows(random, mask, 0);
        }
        return mask;
    }

    private static Pairs bias(RandomGenerator random, AttentionCase from) {
        Pairs bias = pairs(from.bias(), from);
        if (bias != null) {
            for (int i = 0; i < bias.values().length; i++) {
                bias.values()[i] = random.nextInt(10) == 0 ? Float.NEGATIVE_INFINITY : 4 * random.nextFloat() - 2;
            }
            blankRows(random, bias, Float.NEGATIVE_INFINITY);
        }
        return bias;
    }

    private static Pairs pairs(int form, AttentionCase from) {
        if (form < 0) {
            return null;
        }
        int sequences = (form & AttentionCase.PER_SEQUENCE) != 0 ? from.sequences() : 1;
        int heads = (form & AttentionCase.PER_HEAD) != 0 ? from.spec().heads() : 1;
        int queries = (form & AttentionCase.PER_QUERY) != 0 ? from.longestQueries() : 1;
        int keys = from.longestKeys();
        return new Pairs(sequences, heads, queries, keys, new float[sequences * heads * queries * keys]);
    }

    private static void blankRows(RandomGenerator random, Pairs pairs, float value) {
        for (int row = 0; pairs.keys() > 0 && row < pairs.values().length / pairs.keys(); row++) {
            for (int j = 0; random.nextInt(12) == 0 && j < pairs.keys(); j++) {
                pairs.values()[row * pairs.keys() + j] = value;
            }
        }
    }

    private void poison(RandomGenerator random) {
        for (int s = 0; s < queries.length; s++) {
            for (int i = 0; keys[s] > 0 && i < 3; i++) {
                poison(random, k[s], random.nextInt(keys[s]), spec.kvHeads() * spec.headDim());
                poison(random, v[s], random.nextInt(keys[s]), spec.kvHeads() * spec.valueDim());
            }
            if (queries[s] > 0 && random.nextInt(4) == 0) {
                poison(random, q[s], random.nextInt(queries[s]), spec.heads() * spec.headDim());
            }
        }
        for (int i = 0; bias != null && bias.values().length > 0 && i < 3; i++) {
            int at = random.nextInt(bias.values().length);
            bias.values()[at] = random.nextBoolean() ? Float.NaN : Float.POSITIVE_INFINITY;
        }
    }

    private static void poison(RandomGenerator random, float[] values, int token, int width) {
        float value = switch (random.nextInt(3)) {
            case 0 -> Float.NaN;
            case 1 -> Float.POSITIVE_INFINITY;
            default -> Float.NEGATIVE_INFINITY;
        };
        int first = random.nextBoolean() ? 0 : random.nextInt(width);
        for (int i = first; i < width; i++) {
            values[token * width + i] = value;
        }
    }

    /** Whether a query's score of a key counts. */
    boolean attends(int s, int h, int i, int j) {
        long d = diagonal(s, i);
        return (spec.mask().left() < 0 || j >= d - spec.mask().left())
                && (spec.mask().right() < 0 || j <= d + spec.mask().right())
                && (mask == null || mask.at(s, h, i, j) != 0)
                && (bias == null || bias.at(s, h, i, j) != Float.NEGATIVE_INFINITY);
    }

    /** The key on the diagonal of a query. */
    int diagonal(int s, int i) {
        return spec.mask().alignment() == Mask.Alignment.TOP_LEFT ? i : keys[s] - (queries[s] - i);
    }

    /** The key/value head of a query head. */
    int kvHead(int head) {
        return head / (spec.heads() / spec.kvHeads());
    }
}
