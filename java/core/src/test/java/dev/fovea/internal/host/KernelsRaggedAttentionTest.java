package dev.fovea.internal.host;

import static dev.fovea.internal.host.KernelBench.OFFSETS;
import static dev.fovea.internal.host.KernelBench.SEQUENCES;
import static dev.fovea.internal.host.KernelBench.TOKENS;
import static dev.fovea.internal.host.KernelBench.assertClose;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.TestEngine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention over a fused product of ragged sequences, read through strides. */
class KernelsRaggedAttentionTest {
    @ParameterizedTest
    @MethodSource("dev.fovea.internal.host.KernelsContractTest#engines")
    void shouldAttendOverRaggedSequencesThroughStrides(TestEngine options) {
        try (KernelBench b = new KernelBench(options)) {
            attention(b, 3, 3, 32, 32);
            attention(b, 4, 2, 40, 40);
            attention(b, 2, 1, 59, 33);
        }
    }

    private static void attention(KernelBench b, int heads, int kvHeads, int dim, int valueDim) {
        int width = heads * dim + kvHeads * (dim + valueDim);
        Tensor fused = b.random(TOKENS, width);
        Tensor q = view(fused, 0, heads, dim);
        Tensor k = view(fused, heads * dim, kvHeads, dim);
        Tensor v = view(fused, (heads + kvHeads) * dim, kvHeads, valueDim);
        Tensor out = b.zeros(TOKENS, heads, valueDim);
        attend(b, SEQUENCES, q, k, v, b.offsets(), out);
        for (int s = 0; s < SEQUENCES; s++) {
            for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                for (int h = 0; h < heads; h++) {
                    double[] expected = attended(q, k, v, t, h, h / (heads / kvHeads), OFFSETS[s], OFFSETS[s + 1]);
                    for (int i = 0; i < valueDim; i++) {
                        assertClose(expected[i], out.getFloat(t, h, i), 3e-6, "token " + t + ", head " + h);
                    }
                }
            }
        }
        Tensor alone = b.zeros(TOKENS, heads, valueDim);
        for (int s = 0; s < SEQUENCES; s++) {
            int length = OFFSETS[s + 1] - OFFSETS[s];
            attend(b, 1, from(q, OFFSETS[s]), from(k, OFFSETS[s]), from(v, OFFSETS[s]),
                    Tensor.copyOf(b.arena, new int[] {0, length}), from(alone, OFFSETS[s]));
        }
        assertEquals(-1, out.segment().mismatch(alone.segment()), "a sequence alone gives other bits");
    }

    private static void attend(KernelBench b, int sequences, Tensor q, Tensor k, Tensor v, Tensor offsets, Tensor out) {
        var spec = AttentionSpec.of((int) q.size(1), (int) q.size(2)).withKvHeads((int) k.size(1))
                .withValueDim((int) v.size(2)).withScale(0.2f);
        long bytes = b.kernels.attentionScratchBytes(spec);
        Tensor scratch = Tensor.allocate(b.arena, DType.I8, Shape.of(Math.max(64, bytes)));
        var tensors = new AttentionOperands(q, k, v, null, null, out, null, null);
        b.kernels.attention(sequences, spec, tensors, offsets, offsets, null, scratch);
    }

    private static Tensor view(Tensor fused, int column, int heads, int dim) {
        return Tensor.of(fused.segment().asSlice((long) column * Float.BYTES), DType.F32,
                Shape.of(TOKENS, heads, dim), fused.stride(0), dim, 1);
    }

    /** The view from one token on. */
    private static Tensor from(Tensor tokens, int first) {
        return Tensor.of(tokens.segment().asSlice(first * tokens.stride(0) * Float.BYTES), DType.F32,
                Shape.of(tokens.size(0) - first, tokens.size(1), tokens.size(2)),
                tokens.stride(0), tokens.stride(1), tokens.stride(2));
    }

    private static double[] attended(Tensor q, Tensor k, Tensor v, int token, int head, int kvHead, int from, int to) {
        double[] weights = new double[to - from];
        double sum = 0;
        for (int j = from; j < to; j++) {
            double score = 0;
            for (int i = 0; i < q.size(2); i++) {
                score += (double) q.getFloat(token, head, i) * k.getFloat(j, kvHead, i);
            }
            weights[j - from] = Math.exp(score * 0.2f);
            sum += weights[j - from];
        }
        double[] out = new double[(int) v.size(2)];
        for (int j = from; j < to; j++) {
            for (int i = 0; i < out.length; i++) {
                out[i] += weights[j - from] / sum * v.getFloat(j, kvHead, i);
            }
        }
        return out;
    }
}
