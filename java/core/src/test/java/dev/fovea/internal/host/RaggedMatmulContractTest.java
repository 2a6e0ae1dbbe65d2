package dev.fovea.internal.host;

import static dev.fovea.internal.host.ElementwiseContractTest.refused;
import static dev.fovea.internal.host.KernelBench.OFFSETS;
import static dev.fovea.internal.host.KernelBench.SEQUENCES;
import static dev.fovea.internal.host.KernelBench.TOKENS;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.TestEngine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Products of activations, sequence by sequence, on every backend and table. */
class RaggedMatmulContractTest {
    private static final String ENGINES = "dev.fovea.internal.host.KernelsContractTest#engines";
    private static final int K = 24;
    private static final int N = 17;

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldMultiplyEveryTokenByTheMatrixOfItsSequence(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Tensor a = b.random(TOKENS, K);
            Tensor matrices = b.random(SEQUENCES, K * N);
            Tensor out = b.zeros(TOKENS, N);
            b.kernels.raggedMatmul(SEQUENCES, b.offsets(), a, matrices, false, out);
            for (int s = 0; s < SEQUENCES; s++) {
                for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                    for (int c = 0; c < N; c++) {
                        double sum = 0;
                        for (int i = 0; i < K; i++) {
                            sum += (double) a.getFloat(t, i) * matrices.getFloat(s, i * N + c);
                        }
                        KernelBench.assertClose(sum, out.getFloat(t, c), 1e-5, "token " + t);
                    }
                }
            }
            int last = OFFSETS[SEQUENCES - 1];
            Tensor alone = b.zeros(TOKENS - last, N);
            Tensor own = Tensor.of(a.segment().asSlice(4L * K * last), DType.F32, Shape.of(TOKENS - last, K));
            Tensor matrix = Tensor.of(matrices.segment().asSlice(4L * K * N * (SEQUENCES - 1)), DType.F32,
                    Shape.of(1, K * N));
            b.kernels.raggedMatmul(1, Tensor.copyOf(b.arena, new int[] {0, TOKENS - last}), own, matrix, false, alone);
            for (int t = last; t < TOKENS; t++) {
                assertEquals(out.getFloat(t, N - 1), alone.getFloat(t - last, N - 1), "a sequence alone");
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldSumTheProductsOfASequencesTokens(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Tensor a = b.random(TOKENS, K);
            Tensor other = b.random(TOKENS, N);
            Tensor out = b.random(SEQUENCES, K * N);
            b.kernels.raggedMatmul(SEQUENCES, b.offsets(), a, other, true, out);
            for (int s = 0; s < SEQUENCES; s++) {
                for (int i = 0; i < K; i++) {
                    for (int c = 0; c < N; c++) {
                        double sum = 0;
                        for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                            sum += (double) a.getFloat(t, i) * other.getFloat(t, c);
                        }
                        KernelBench.assertClose(sum, out.getFloat(s, i * N + c), 2e-5, "sequence " + s);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ENGINES)
    void shouldRefuseMisuse(TestEngine engine) {
        try (var b = new KernelBench(engine)) {
            Kernels k = b.kernels;
            Tensor a = b.random(TOKENS, K);
            refused(() -> k.raggedMatmul(SEQUENCES, b.offsets(), a, b.random(SEQUENCES, K * N + 1), false,
                    b.zeros(TOKENS, N)), "multiple of 24", "409");
            refused(() -> k.raggedMatmul(SEQUENCES, b.offsets(), a, b.random(SEQUENCES - 1, K * N), false,
                    b.zeros(TOKENS, N)), "6", "5");
            refused(() -> k.raggedMatmul(SEQUENCES, b.offsets(), a, b.random(TOKENS, N), true,
                    b.zeros(SEQUENCES, K * N - 1)), "408", "407");
            refused(() -> k.raggedMatmul(2, Tensor.copyOf(b.arena, new int[] {0, 5, 3}), a, b.random(2, K * N), false,
                    b.zeros(TOKENS, N)), "5", "3");
        }
    }
}
