package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rope;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/** Random tensors of a ragged batch, and what an attention made of them. */
final class AttentionBench implements AutoCloseable {
    static final AttentionSpec SPEC = AttentionSpec.of(4, 8).withKvHeads(2).withValueDim(5);

    /** Queries and keys per sequence: none of one, or of the other, tiles and their borders. */
    static final int[][] LENGTHS = {{3, 5}, {0, 4}, {2, 0}, {1, 129}, {131, 70}};

    final Engine engine;
    final Arena arena = Arena.ofShared();
    final Kernels kernels;
    final Random random = new Random(5);
    final Tensor qOffsets;
    final Tensor kvOffsets;
    final int queries;
    final int keys;
    final Tensor q;
    final Tensor k;
    final Tensor v;
    final Tensor out;
    final Tensor lse;
    final Tensor weights;
    Tensor mask;
    Tensor bias;

    AttentionBench(TestEngine options, int[]... lengths) {
        engine = options.create();
        kernels = TestKernels.of(engine, arena);
        qOffsets = Tensor.copyOf(arena, starts(lengths, 0));
        kvOffsets = Tensor.copyOf(arena, starts(lengths, 1));
        queries = start(qOffsets, lengths.length);
        keys = start(kvOffsets, lengths.length);
        q = random(queries, SPEC.heads(), SPEC.headDim());
        k = random(keys, SPEC.kvHeads(), SPEC.headDim());
        v = random(keys, SPEC.kvHeads(), SPEC.valueDim());
        int longest = Arrays.stream(lengths).mapToInt(l -> l[1]).max().orElse(0);
        out = random(queries, SPEC.heads(), SPEC.valueDim());
        lse = random(SPEC.heads(), queries);
        weights = random(SPEC.heads(), queries, longest);
    }

    private static int[] starts(int[][] lengths, int side) {
        int[] starts = new int[lengths.length + 1];
        for (int s = 0; s < lengths.length; s++) {
            starts[s + 1] = starts[s] + lengths[s][side];
        }
        return starts;
    }

    Tensor random(long... sizes) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() * 2 - 1);
        }
        return tensor;
    }

    Tensor bytes(long... sizes) {
        Tensor tensor = Tensor.allocate(arena, DType.U8, Shape.of(sizes));
        for (long i = 0; i < tensor.shape().elements(); i++) {
            tensor.segment().set(ValueLayout.JAVA_BYTE, i, (byte) (random.nextInt(3) * 7));
        }
        return tensor;
    }

    int sequences() {
        return (int) qOffsets.size(0) - 1;
    }

    Tensor scratch(AttentionSpec spec) {
        return Tensor.allocate(arena, DType.I8, Shape.of(Math.max(1, kernels.attentionScratchBytes(spec))));
    }

    void run(AttentionSpec spec) {
        run(spec, q, k, v);
    }

    void run(AttentionSpec spec, Tensor q, Tensor k, Tensor v) {
        var tensors = new AttentionOperands(q, k, v, mask, bias, out, lse, weights);
        kernels.attention(sequences(), spec, tensors, qOffsets, kvOffsets, null, scratch(spec));
    }

    @Override
    public void close() {
        arena.close();
        engine.close();
    }

    static int start(Tensor offsets, int sequence) {
        return offsets.segment().getAtIndex(ValueLayout.JAVA_INT, sequence);
    }

    /** Runs the spec and holds output, log-sum-exp and pattern against the formula. */
    static void check(AttentionBench b, AttentionSpec spec) {
        b.run(spec);
        compare(b, spec, 4e-6);
    }

    static void compare(AttentionBench b, AttentionSpec spec, double tolerance) {
        for (int s = 0; s < b.sequences(); s++) {
            for (int i = 0; i < start(b.qOffsets, s + 1) - start(b.qOffsets, s); i++) {
                for (int head = 0; head < spec.heads(); head++) {
                    compare(b, spec, s, head, i, tolerance);
                }
            }
        }
    }

    static void compare(AttentionBench b, AttentionSpec spec, int s, int head, int i, double tolerance) {
        int query = start(b.qOffsets, s) + i;
        int firstKey = start(b.kvOffsets, s);
        double[] scores = scores(b, spec, s, head, i);
        double sum = Arrays.stream(scores).map(Math::exp).sum();
        String where = "sequence " + s + ", head " + head + ", query " + i + ": ";
        double[] expected = new double[spec.valueDim()];
        for (int j = 0; j < scores.length; j++) {
            double weight = sum == 0 ? 0 : Math.exp(scores[j]) / sum;
            assertClose(weight, b.weights.getFloat(head, query, j), tolerance, where + "weight " + j);
            for (int d = 0; weight != 0 && d < expected.length; d++) {
                expected[d] += weight * b.v.getFloat(firstKey + j, head / 2, d);
            }
        }
        for (int d = 0; d < expected.length; d++) {
            assertClose(expected[d], b.out.getFloat(query, head, d), tolerance, where + "element " + d);
        }
        assertClose(Math.log(sum), b.lse.getFloat(head, query), tolerance, where + "lse");
    }

    static void assertClose(double expected, double actual, double tolerance, String what) {
        assertTrue(expected == actual || Math.abs(expected - actual) <= tolerance,
                () -> what + ": expected " + expected + ", got " + actual);
    }

    static double[] scores(AttentionBench b, AttentionSpec spec, int s, int head, int i) {
        int queries = start(b.qOffsets, s + 1) - start(b.qOffsets, s);
        int firstKey = start(b.kvOffsets, s);
        double[] scores = new double[start(b.kvOffsets, s + 1) - firstKey];
        int diagonal = spec.mask().diagonal(i, queries, scores.length);
        double[] query = turned(b.q, start(b.qOffsets, s) + i, head, spec.rope(), diagonal);
        for (int j = 0; j < scores.length; j++) {
            double[] key = turned(b.k, firstKey + j, head / 2, spec.rope(), j);
            double score = 0;
            for (int d = 0; d < key.length; d++) {
                score += query[d] * key[d] * spec.scale();
            }
            score = spec.softcap() == 0 ? score : spec.softcap() * Math.tanh(score / spec.softcap());
            score += at(b.bias, s, head, i, j, 0);
            score -= spec.alibi() == null ? 0 : spec.alibi().slopes().getFloat(head) * Math.abs(diagonal - j);
            boolean seen = (spec.mask().left() < 0 || j >= diagonal - (long) spec.mask().left())
                    && (spec.mask().right() < 0 || j <= diagonal + (long) spec.mask().right())
                    && at(b.mask, s, head, i, j, 1) != 0 && at(b.bias, s, head, i, j, 0) != Double.NEGATIVE_INFINITY;
            scores[j] = seen ? score : Double.NEGATIVE_INFINITY;
        }
        return scores;
    }

    static double at(Tensor tensor, int s, int head, int i, int j, double absent) {
        if (tensor == null) {
            return absent;
        }
        int last = tensor.rank() - 1;
        long element = j + (tensor.size(last - 1) == 1 ? 0 : i * tensor.stride(last - 1));
        if (last == 3) {
            element += tensor.size(0) == 1 ? 0 : s * tensor.stride(0);
            element += tensor.size(1) == 1 ? 0 : head * tensor.stride(1);
        }
        return tensor.dtype() == DType.U8
                ? tensor.segment().get(ValueLayout.JAVA_BYTE, element)
                : tensor.segment().getAtIndex(ValueLayout.JAVA_FLOAT, element);
    }

    static double[] turned(Tensor tensor, int token, int head, Rope rope, int position) {
        double[] row = new double[(int) tensor.size(2)];
        for (int d = 0; d < row.length; d++) {
            row[d] = tensor.getFloat(token, head, d);
        }
        for (int p = 0; rope != null && p < rope.dim() / 2; p++) {
            int one = rope.layout() == Rope.Layout.HALF ? p : 2 * p;
            int other = rope.layout() == Rope.Layout.HALF ? p + rope.dim() / 2 : 2 * p + 1;
            double cos = rope.table().getFloat(position, p);
            double sin = rope.table().getFloat(position, p + rope.dim() / 2);
            double x = row[one];
            double y = row[other];
            row[one] = x * cos - y * sin;
            row[other] = y * cos + x * sin;
        }
        return row;
    }
}
