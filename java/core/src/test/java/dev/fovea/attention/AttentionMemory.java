package dev.fovea.attention;

import dev.fovea.Engine;
import dev.fovea.attention.AttentionCase.Layout;
import dev.fovea.attention.AttentionProblem.Pairs;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** An attention's values in memory as a case lays them out, and its results. */
final class AttentionMemory implements AutoCloseable {
    /**
     * What a run left, per sequence that ran: [queries, heads, value_dim], [queries, heads] and
     * [queries, heads, keys]; the last two null where they were not asked for.
     */
    record Results(float[][] out, float[][] lse, float[][] weights, long touched) {}

    private final Arena arena = Arena.ofConfined();
    private final AttentionCase from;
    private final AttentionProblem problem;
    private final RandomGenerator random;
    private final TokenMemory q;
    private final TokenMemory k;
    private final TokenMemory v;
    private final TokenMemory out;
    private final TokenMemory lse;
    private final TokenMemory weights;
    private final Tensor mask;
    private final Tensor bias;

    AttentionMemory(AttentionCase from, AttentionProblem problem) {
        this.from = from;
        this.problem = problem;
        this.random = new SplittableRandom(from.seed() + 1);
        AttentionSpec spec = from.spec();
        if (from.qLayout() == Layout.FUSED) {
            TokenMemory[] parts = TokenMemory.fused(arena, from.qType(), from.queries(), spec, random);
            q = parts[0];
            k = parts[1];
            v = parts[2];
        } else {
            q = TokenMemory.allocate(arena, from.qType(), from.qLayout(), from.queries(), spec.heads(), spec.headDim(),
                    random);
            k = TokenMemory.allocate(arena, from.kvType(), from.kLayout(), from.keys(), spec.kvHeads(), spec.headDim(),
                    random);
            v = TokenMemory.allocate(arena, from.kvType(), from.vLayout(), from.keys(), spec.kvHeads(), spec.valueDim(),
                    random);
        }
        out = output(from.outLayout(), spec.valueDim());
        lse = from.lse() ? output(headsFirst(), 1) : null;
        weights = from.weights() ? output(headsFirst(), from.longestKeys() + random.nextInt(3)) : null;
        mask = problem.mask() == null ? null : pairs(problem.mask(), from.mask(), DType.U8);
        bias = problem.bias() == null ? null : pairs(problem.bias(), from.bias(), DType.F32);
        for (int s = 0; s < from.sequences(); s++) {
            q.store(s, problem.q()[s]);
            k.store(s, problem.k()[s]);
            v.store(s, problem.v()[s]);
        }
    }

    private TokenMemory output(Layout layout, int dim) {
        return TokenMemory.allocate(arena, DType.F32, layout, from.queries(), from.spec().heads(), dim, random);
    }

    private Layout headsFirst() {
        return from.outLayout() == Layout.BATCH || from.outLayout() == Layout.BATCH_HEADS_FIRST
                ? Layout.BATCH_HEADS_FIRST
                : Layout.HEADS_FIRST;
    }

    private Tensor pairs(Pairs pairs, int form, DType dtype) {
        int gap = random.nextInt(2) * random.nextInt(4);
        long row = pairs.keys() + gap;
        long rows = (long) pairs.sequences() * pairs.heads() * pairs.queries();
        var memory = arena.allocate(Math.max(1, rows * row * dtype.bytes()), 64);
        for (long i = 0; i < rows * row; i++) {
            Elements.store(memory, dtype, i, dtype == DType.U8 ? 255 : Float.NaN);
        }
        for (int i = 0; i < pairs.values().length; i++) {
            Elements.store(memory, dtype, i / pairs.keys() * row + i % pairs.keys(), pairs.values()[i]);
        }
        return (form & AttentionCase.RANK_4) == 0
                ? Tensor.of(memory, dtype, Shape.of(pairs.queries(), pairs.keys()), row, 1)
                : Tensor.of(memory, dtype, Shape.of(pairs.sequences(), pairs.heads(), pairs.queries(), pairs.keys()),
                        pairs.heads() * pairs.queries() * row, pairs.queries() * row, row, 1);
    }

    /** Computes on an engine. */
    Results run(Engine engine) {
        clear(out);
        clear(lse);
        clear(weights);
        try (var attention = Attention.create(engine, from.spec())) {
            if (from.cache() == null) {
                var plain = AttentionTensors.of(q.tensor(), k.tensor(), v.tensor(), out.tensor());
                attention.run(from.run(), complete(plain, offsets(from.keys())));
            } else {
                try (var filled = new RandomHistory(engine, from, problem).fill()) {
                    attention.run(from.run(), complete(AttentionTensors.of(q.tensor(), filled, out.tensor()), null));
                }
            }
        }
        float[][] outs = new float[from.run()][];
        float[][] lses = lse == null ? null : new float[from.run()][];
        float[][] patterns = weights == null ? null : new float[from.run()][];
        for (int s = 0; s < from.run(); s++) {
            int queries = from.queries().get(s);
            outs[s] = out.take(s, queries, from.spec().valueDim());
            if (lse != null) {
                lses[s] = lse.take(s, queries, 1);
            }
            if (weights != null) {
                patterns[s] = weights.take(s, queries, from.keys().get(s));
            }
        }
        long touched = out.touched() + (lse == null ? 0 : lse.touched()) + (weights == null ? 0 : weights.touched());
        return new Results(outs, lses, patterns, touched);
    }

    private AttentionTensors complete(AttentionTensors plain, Tensor keyOffsets) {
        AttentionTensors tensors = plain;
        Tensor queryOffsets = offsets(from.queries());
        boolean whole = equal(plain.qOffsets(), queryOffsets)
                && (keyOffsets == null || equal(plain.kvOffsets(), keyOffsets));
        if (!whole || random.nextBoolean()) {
            tensors = keyOffsets == null ? plain.withOffsets(queryOffsets)
                    : plain.withOffsets(queryOffsets, keyOffsets);
        }
        tensors = mask == null ? tensors : tensors.withMask(mask);
        tensors = bias == null ? tensors : tensors.withBias(bias);
        tensors = lse == null ? tensors : tensors.withLse(lse.scalars());
        return weights == null ? tensors : tensors.withWeights(weights.headsFirst());
    }

    private Tensor offsets(List<Integer> lengths) {
        int[] offsets = new int[lengths.size() + 1];
        for (int s = 0; s < lengths.size(); s++) {
            offsets[s + 1] = offsets[s] + lengths.get(s);
        }
        return Tensor.copyOf(arena, offsets);
    }

    private static boolean equal(Tensor a, Tensor b) {
        return Arrays.equals(a.segment().toArray(ValueLayout.JAVA_INT), b.segment().toArray(ValueLayout.JAVA_INT));
    }

    private static void clear(TokenMemory output) {
        if (output != null) {
            output.clear();
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
