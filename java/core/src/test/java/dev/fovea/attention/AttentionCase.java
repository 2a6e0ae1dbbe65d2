package dev.fovea.attention;

import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What decides an attention and everything in memory around it.
 *
 * @param seed of the values and of the gaps between them
 * @param queries the length of each sequence
 * @param keys likewise
 * @param run sequences that are computed, the first of them
 * @param qType the type of the queries
 * @param kvType the type of keys and values
 * @param cache the type of the cache that keys and values come from, or null for none
 * @param qLayout where queries lie; {@link Layout#FUSED} takes keys and values along
 * @param mask a form of mask, as bits; −1 for none
 * @param bias likewise
 * @param poison whether NaN and ∞ stand at some keys, values and biases
 * @param range bound of the queries' elements
 */
record AttentionCase(long seed, AttentionSpec spec, List<Integer> queries, List<Integer> keys, int run, DType qType,
        DType kvType, DType cache, Layout qLayout, Layout kLayout, Layout vLayout, Layout outLayout, int mask, int bias,
        boolean lse, boolean weights, boolean poison, float range) {
    static final int PER_SEQUENCE = 1;
    static final int PER_HEAD = 2;
    static final int PER_QUERY = 4;
    static final int RANK_4 = 8;

    /** Where the tokens of a batch lie. */
    enum Layout { DENSE, GAPS, HEADS_FIRST, BATCH, BATCH_HEADS_FIRST, FUSED }

    int sequences() {
        return queries.size();
    }

    int longestQueries() {
        return queries.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    int longestKeys() {
        return keys.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    /** Multiplications of a full pass. */
    long cost() {
        long pairs = 0;
        for (int s = 0; s < run; s++) {
            pairs += (long) queries.get(s) * keys.get(s);
        }
        return pairs * spec.heads() * (spec.headDim() + spec.valueDim());
    }

    /** Cases that ask for less, the boldest first: a failure is told by one of which none fails. */
    Stream<AttentionCase> simpler() {
        List<AttentionCase> cases = new ArrayList<>();
        for (int s = sequences() - 1; sequences() > 1 && s >= 0; s--) {
            cases.add(withLengths(without(queries, s), without(keys, s)));
        }
        shorten(cases, each -> each / 2);
        shorten(cases, each -> each - 1);
        cases.add(withSpec(new AttentionSpec(1, 1, spec.headDim(), spec.valueDim(), spec.scale(), spec.mask(),
                spec.softcap(), null, spec.rope())));
        cases.add(withSpec(spec.withMask(Mask.none())));
        cases.add(withSpec(spec.withSoftcap(0)));
        cases.add(withSpec(new AttentionSpec(spec.heads(), spec.kvHeads(), spec.headDim(), spec.valueDim(),
                spec.scale(), spec.mask(), spec.softcap(), null, null)));
        if (spec.rope() == null) {
            cases.add(withSpec(spec.withValueDim(1)));
            cases.add(withSpec(new AttentionSpec(spec.heads(), spec.kvHeads(), 1, spec.valueDim(), spec.scale(),
                    spec.mask(), spec.softcap(), spec.alibi(), null)));
        }
        cases.add(with(DType.F32, DType.F32, null, mask, bias, lse, weights, poison));
        cases.add(with(qType, kvType, null, mask, bias, lse, weights, poison));
        cases.add(with(qType, kvType, cache, -1, bias, lse, weights, poison));
        cases.add(with(qType, kvType, cache, mask, -1, lse, weights, poison));
        cases.add(with(qType, kvType, cache, mask, bias, false, false, poison));
        cases.add(with(qType, kvType, cache, mask, bias, lse, weights, false));
        cases.add(new AttentionCase(seed, spec, queries, keys, run, qType, kvType, cache, Layout.DENSE, Layout.DENSE,
                Layout.DENSE, Layout.DENSE, mask, bias, lse, weights, poison, range));
        return cases.stream().filter(each -> !each.equals(this));
    }

    private void shorten(List<AttentionCase> cases, UnaryOperator<Integer> shorter) {
        // A fused product has one length; RoPE needs a key for each query.
        boolean together = qLayout == Layout.FUSED || spec.rope() != null;
        for (int s = 0; s < sequences(); s++) {
            if (queries.get(s) > 0) {
                cases.add(withLengths(shorter(queries, s, shorter), together ? shorter(keys, s, shorter) : keys));
            }
            if (keys.get(s) > 0 && !together) {
                cases.add(withLengths(queries, shorter(keys, s, shorter)));
            }
        }
    }

    private static List<Integer> shorter(List<Integer> lengths, int s, UnaryOperator<Integer> shorter) {
        List<Integer> copy = new ArrayList<>(lengths);
        copy.set(s, Math.max(0, shorter.apply(copy.get(s))));
        return List.copyOf(copy);
    }

    private static List<Integer> without(List<Integer> lengths, int s) {
        List<Integer> copy = new ArrayList<>(lengths);
        copy.remove(s);
        return List.copyOf(copy);
    }

    AttentionCase withLengths(List<Integer> queries, List<Integer> keys) {
        return new AttentionCase(seed, spec, queries, keys, Math.min(run, queries.size()), qType, kvType, cache,
                qLayout, kLayout, vLayout, outLayout, mask, bias, lse, weights, poison, range);
    }

    private AttentionCase withSpec(AttentionSpec spec) {
        return new AttentionCase(seed, spec, queries, keys, run, qType, kvType, cache, qLayout, kLayout, vLayout,
                outLayout, mask, bias, lse, weights, poison, range);
    }

    private AttentionCase with(DType qType, DType kvType, DType cache, int mask, int bias, boolean lse, boolean weights,
            boolean poison) {
        return new AttentionCase(seed, spec, queries, keys, run, qType, kvType, cache, qLayout, kLayout, vLayout,
                outLayout, mask, bias, lse, weights, poison, range);
    }
}
