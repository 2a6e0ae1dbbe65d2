package dev.fovea.attention;

import dev.fovea.Engine;
import dev.fovea.attention.AttentionCase.Layout;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** Brings the keys and values of a problem into a cache on a path of appends, truncations and forks. */
final class RandomHistory {
    private static final Layout[] LAYOUTS = {Layout.DENSE, Layout.GAPS, Layout.BATCH, Layout.BATCH_HEADS_FIRST};

    private final Engine engine;
    private final AttentionCase from;
    private final AttentionProblem problem;
    private final RandomGenerator random;

    RandomHistory(Engine engine, AttentionCase from, AttentionProblem problem) {
        this.engine = engine;
        this.from = from;
        this.problem = problem;
        this.random = new SplittableRandom(from.seed() + 2);
    }

    /** A cache whose first sequences hold those of the problem. One more at the end has held anything. */
    KvCache fill() {
        int spare = from.sequences();
        int capacity = Math.max(1, from.longestKeys() + random.nextInt(50));
        KvCache cache = KvCache.create(engine, from.spec(), spare + 1, capacity, from.cache());
        if (spare > 0 && random.nextInt(3) == 0) {
            appendTogether(cache);
        }
        for (int s = 0; s < spare; s++) {
            int keys = problem.keys()[s];
            if (random.nextInt(3) == 0) {
                int shared = cache.length(s) + random.nextInt(keys - cache.length(s) + 1);
                cache.fork(s, spare);
                append(cache, spare, s, cache.length(s), shared);
                cache.fork(spare, s);
                // Whatever the spare sequence holds from here on must not show in the other.
                cache.truncate(spare, random.nextInt(shared + 1));
                append(cache, spare, s, 0, random.nextInt(Math.min(keys, capacity - cache.length(spare)) + 1));
            }
            while (cache.length(s) < keys) {
                int next = cache.length(s) + 1 + random.nextInt(keys - cache.length(s));
                append(cache, s, s, cache.length(s), next);
                if (random.nextInt(4) == 0) {
                    cache.truncate(s, random.nextInt(next + 1));
                }
            }
        }
        return cache;
    }

    private void append(KvCache cache, int to, int s, int first, int end) {
        AttentionSpec spec = from.spec();
        try (Arena arena = Arena.ofConfined()) {
            var lengths = List.of(end - first);
            cache.append(to, tensor(arena, lengths, spec.headDim(), part(problem.k()[s], spec.headDim(), first, end)),
                    tensor(arena, lengths, spec.valueDim(), part(problem.v()[s], spec.valueDim(), first, end)));
        }
    }

    private void appendTogether(KvCache cache) {
        AttentionSpec spec = from.spec();
        int count = cache.sequences();
        List<Integer> lengths = new ArrayList<>();
        int[] offsets = new int[count + 1];
        float[][] k = new float[count][];
        float[][] v = new float[count][];
        for (int s = 0; s < count; s++) {
            int keys = s < count - 1 ? random.nextInt(problem.keys()[s] + 1) : 0;
            lengths.add(keys);
            offsets[s + 1] = offsets[s] + keys;
            k[s] = part(s < count - 1 ? problem.k()[s] : new float[0], spec.headDim(), 0, keys);
            v[s] = part(s < count - 1 ? problem.v()[s] : new float[0], spec.valueDim(), 0, keys);
        }
        try (Arena arena = Arena.ofConfined()) {
            cache.append(tensor(arena, lengths, spec.headDim(), k), tensor(arena, lengths, spec.valueDim(), v),
                    Tensor.copyOf(arena, offsets));
        }
    }

    private float[] part(float[] values, int dim, int first, int end) {
        int width = from.spec().kvHeads() * dim;
        return Arrays.copyOfRange(values, first * width, end * width);
    }

    private Tensor tensor(Arena arena, List<Integer> lengths, int dim, float[]... values) {
        // A single append takes all tokens of its tensor, so it has no rows to spare.
        Layout layout = lengths.size() == 1 ? Layout.DENSE : LAYOUTS[random.nextInt(LAYOUTS.length)];
        TokenMemory memory = TokenMemory.allocate(arena, from.kvType(), layout, lengths, from.spec().kvHeads(), dim,
                random);
        for (int s = 0; s < values.length; s++) {
            memory.store(s, values[s]);
        }
        return memory.tensor();
    }
}
