package dev.fovea.attention;

import dev.fovea.attention.AttentionCase.Layout;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Attentions over the whole table of the semantics, small ones more often. */
final class RandomAttention {
    private static final int[] DIMS = {1, 2, 8, 17, 32, 40, 59, 64, 80, 96, 111, 128, 192, 256};
    private static final int[] LENGTHS = {0, 1, 2, 17, 64, 97, 257, 1025};
    private static final int[] KV_HEADS = {1, 1, 2, 3};
    private static final float[] SOFTCAPS = {0.5f, 1, 5, 30};
    private static final DType[] TYPES = {DType.F32, DType.F32, DType.F16, DType.BF16};
    private static final int POSITIONS = 1100;

    private final RandomGenerator random;

    private RandomAttention(long seed) {
        // Unlike those of java.util.Random, its first numbers differ for neighbouring seeds.
        this.random = new SplittableRandom(seed);
    }

    static AttentionCase of(long seed) {
        return new RandomAttention(seed).draw(seed);
    }

    private AttentionCase draw(long seed) {
        AttentionSpec spec = spec();
        boolean cached = oneIn(4);
        boolean fused = !cached && oneIn(5);
        List<Integer> queries = new ArrayList<>();
        List<Integer> keys = new ArrayList<>();
        int sequences = oneIn(2) ? 1 : oneIn(30) ? 0 : 1 + random.nextInt(4);
        boolean alike = oneIn(3);
        for (int s = 0; s < sequences; s++) {
            queries.add(alike && s > 0 ? queries.getFirst() : length());
            keys.add(fused ? queries.get(s) : alike && s > 0 ? keys.getFirst() : length());
        }
        DType kvType = TYPES[random.nextInt(TYPES.length)];
        DType qType = fused || oneIn(2) ? kvType : TYPES[random.nextInt(TYPES.length)];
        Layout layout = fused ? Layout.FUSED : layout();
        boolean weights = oneIn(3);
        boolean poison = oneIn(3);
        int mask = oneIn(3) ? form() : -1;
        int bias = oneIn(4) ? form() : -1;
        if (poison && mask < 0 && spec.mask().equals(Mask.none())) {
            mask = AttentionCase.PER_QUERY;
        }
        int run = sequences > 0 && oneIn(5) ? random.nextInt(sequences + 1) : sequences;
        var drawn = new AttentionCase(seed, spec, List.copyOf(queries), List.copyOf(keys), run, qType, kvType,
                cached ? TYPES[random.nextInt(TYPES.length)] : null, layout, fused ? layout : layout(),
                fused ? layout : layout(), layout(), mask, bias, oneIn(2), weights, poison,
                oneIn(4) ? 4 : 1);
        return affordable(drawn, fused);
    }

    private AttentionSpec spec() {
        int kvHeads = KV_HEADS[random.nextInt(KV_HEADS.length)];
        int heads = kvHeads * (1 + random.nextInt(oneIn(3) ? 5 : 2));
        int headDim = dim();
        AttentionSpec spec = AttentionSpec.of(heads, headDim).withKvHeads(kvHeads).withMask(mask());
        if (oneIn(3)) {
            spec = spec.withValueDim(dim());
        }
        if (oneIn(5)) {
            spec = spec.withScale(oneIn(4) ? 0 : (random.nextFloat() - 0.3f) / (float) Math.sqrt(headDim));
        }
        if (oneIn(4)) {
            spec = spec.withSoftcap(SOFTCAPS[random.nextInt(SOFTCAPS.length)]);
        }
        if (oneIn(4)) {
            return spec.withAlibi(oneIn(2) ? Alibi.forHeads(heads) : Alibi.of(slopes(heads)));
        }
        if (headDim > 1 && oneIn(3)) {
            int dim = oneIn(2) ? headDim / 2 * 2 : 2 + 2 * random.nextInt(headDim / 2);
            Rope.Layout layout = oneIn(2) ? Rope.Layout.HALF : Rope.Layout.INTERLEAVED;
            return spec.withRope(Rope.of(layout, dim, oneIn(2) ? 10_000 : 100, POSITIONS));
        }
        return spec;
    }

    private float[] slopes(int heads) {
        float[] slopes = new float[heads];
        for (int h = 0; h < heads; h++) {
            slopes[h] = (random.nextFloat() - 0.2f) / 4;
        }
        return slopes;
    }

    private Mask mask() {
        Mask mask = switch (random.nextInt(6)) {
            case 0, 1 -> Mask.none();
            case 2, 3 -> Mask.causal();
            default -> Mask.window(side(), side());
        };
        return oneIn(3) ? mask.topLeft() : mask;
    }

    private int side() {
        return switch (random.nextInt(5)) {
            case 0 -> -1;
            case 1 -> 0;
            case 2 -> random.nextInt(5);
            case 3 -> random.nextInt(60);
            default -> random.nextInt(400);
        };
    }

    private int form() {
        int form = random.nextInt(16);
        return (form & (AttentionCase.PER_SEQUENCE | AttentionCase.PER_HEAD)) != 0 ? form | AttentionCase.RANK_4 : form;
    }

    private Layout layout() {
        return Layout.values()[random.nextInt(Layout.FUSED.ordinal())];
    }

    private int dim() {
        return oneIn(2) ? DIMS[random.nextInt(4)] : DIMS[random.nextInt(DIMS.length)];
    }

    private int length() {
        if (oneIn(4)) {
            return random.nextInt(20);
        }
        int last = LENGTHS.length;
        return LENGTHS[oneIn(4) ? random.nextInt(last) : Math.min(random.nextInt(last), random.nextInt(last))];
    }

    /** Cuts the longest side until the case is worth its time, and queries that RoPE has no position for. */
    private AttentionCase affordable(AttentionCase drawn, boolean fused) {
        long budget = oneIn(100) ? 20_000_000 : oneIn(10) ? 3_000_000 : 150_000;
        List<Integer> queries = new ArrayList<>(drawn.queries());
        List<Integer> keys = new ArrayList<>(drawn.keys());
        AttentionCase cut = drawn;
        while (cut.cost() > budget) {
            for (int s = 0; s < queries.size(); s++) {
                boolean queriesLonger = queries.get(s) > keys.get(s) || queries.get(s).equals(keys.get(s)) && oneIn(2);
                if (fused || queriesLonger) {
                    queries.set(s, shorter(queries.get(s)));
                }
                if (fused || !queriesLonger) {
                    keys.set(s, shorter(keys.get(s)));
                }
            }
            cut = cut.withLengths(List.copyOf(queries), List.copyOf(keys));
        }
        if (cut.spec().rope() != null) {
            for (int s = 0; s < queries.size(); s++) {
                queries.set(s, Math.min(queries.get(s), keys.get(s)));
            }
            cut = cut.withLengths(List.copyOf(queries), List.copyOf(keys));
        }
        return cut;
    }

    private static int shorter(int length) {
        int next = 0;
        for (int each : LENGTHS) {
            next = each < length ? each : next;
        }
        return next;
    }

    private boolean oneIn(int n) {
        return random.nextInt(n) == 0;
    }
}
