package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.AttentionOperands;
import dev.fovea.ops.Alibi;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.DistanceBuckets;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What every backend's relative bias computes, and attention with a row of biases for each query of a batch. */
class RelativeBiasContractTest {
    private static final int HEADS = 3;
    private static final int KEYS = 70;
    private static final int[] OFFSETS = {0, 70, 70, 71, 100};
    private static final int TOKENS = 100;

    static Stream<TestEngine> engines() {
        return TestEngine.all();
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldAddWhatTheBucketsOfDistancesName(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            Kernels kernels = TestKernels.of(engine, arena);
            var buckets = DistanceBuckets.of(KEYS, 5, distance -> Math.floorMod(distance, 5));
            Tensor offsets = Tensor.copyOf(arena, OFFSETS);
            Tensor byQuery = random(arena, 1, TOKENS, HEADS * 5);
            Tensor byKey = random(arena, 2, TOKENS, HEADS * 5);
            Tensor row = random(arena, 3, 1, HEADS * 5);
            Tensor both = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, HEADS * KEYS));
            Tensor same = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, HEADS * KEYS));
            kernels.relativeBias(4, HEADS, byQuery, byKey, buckets, offsets, both);
            kernels.relativeBias(4, HEADS, row, null, buckets, offsets, same);
            for (int s = 0; s < 4; s++) {
                for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                    for (int u = OFFSETS[s]; u < OFFSETS[s + 1]; u++) {
                        for (int head = 0; head < HEADS; head++) {
                            int column = head * 5 + Math.floorMod(u - t, 5);
                            int place = head * KEYS + u - OFFSETS[s];
                            assertEquals(byQuery.getFloat(t, column) + byKey.getFloat(u, column), both.getFloat(t, place));
                            assertEquals(row.getFloat(0, column), same.getFloat(t, place));
                        }
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("engines")
    void shouldRefuseSequencesOfMoreKeysAndTensorsThatDoNotFit(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            Kernels kernels = TestKernels.of(engine, arena);
            var buckets = DistanceBuckets.of(KEYS - 1, 5, _ -> 0);
            Tensor offsets = Tensor.copyOf(arena, OFFSETS);
            Tensor byQuery = random(arena, 1, TOKENS, HEADS * 5);
            Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, HEADS * (KEYS - 1L)));
            String message = assertThrows(IllegalArgumentException.class,
                    () -> kernels.relativeBias(4, HEADS, byQuery, null, buckets, offsets, out)).getMessage();
            assertTrue(message.contains("70 tokens"), message);
            assertThrows(IllegalArgumentException.class,
                    () -> kernels.relativeBias(1, 2, byQuery, null, buckets, offsets, out));
            assertThrows(IllegalArgumentException.class,
                    () -> kernels.relativeBias(4, HEADS, byQuery, byQuery, buckets, offsets, byQuery));
        }
    }

    /** A row per query of the batch gives the bits of a bias that each sequence brings for itself. */
    @ParameterizedTest
    @MethodSource("engines")
    void shouldAttendWithARowOfBiasesPerQuery(TestEngine maker) {
        for (AttentionSpec spec : new AttentionSpec[] {AttentionSpec.of(HEADS, 8),
                AttentionSpec.of(HEADS, 8).withAlibi(Alibi.forHeads(HEADS)).withMask(Mask.window(9, 30))}) {
            try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
                Kernels kernels = TestKernels.of(engine, arena);
                Tensor q = heads(arena, 4);
                Tensor k = heads(arena, 5);
                Tensor v = heads(arena, 6);
                Tensor rows = heads(random(arena, 7, TOKENS, HEADS * KEYS), KEYS);
                Tensor padded = Tensor.allocate(arena, DType.F32, Shape.of(4, HEADS, KEYS, KEYS));
                for (int s = 0; s < 4; s++) {
                    for (int t = OFFSETS[s]; t < OFFSETS[s + 1]; t++) {
                        for (int head = 0; head < HEADS; head++) {
                            for (int key = 0; key < KEYS; key++) {
                                long at = ((s * HEADS + head) * (long) KEYS + t - OFFSETS[s]) * KEYS + key;
                                padded.segment().setAtIndex(ValueLayout.JAVA_FLOAT, at, rows.getFloat(t, head, key));
                            }
                        }
                    }
                }
                Tensor one = attend(kernels, arena, spec, q, k, v, rows);
                Tensor other = attend(kernels, arena, spec, q, k, v, padded);
                assertEquals(-1, one.segment().mismatch(other.segment()));
            }
        }
    }

    private static Tensor attend(Kernels kernels, Arena arena, AttentionSpec spec, Tensor q, Tensor k, Tensor v,
            Tensor bias) {
        Tensor out = Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, HEADS, 8));
        long bytes = kernels.attentionScratchBytes(spec);
        Tensor scratch = Tensor.of(arena.allocate(bytes, 64), DType.I8, Shape.of(bytes));
        Tensor offsets = Tensor.copyOf(arena, OFFSETS);
        kernels.attention(4, spec, new AttentionOperands(q, k, v, null, bias, out, null, null), offsets, offsets, null,
                scratch);
        return out;
    }

    @Test
    void shouldPutDistancesIntoTheBucketsOfT5AndDeberta() {
        var t5 = DistanceBuckets.t5(300, 32, 128);
        int[] distances = {0, -1, 1, -7, -8, -12, 16, 127, 128, -299};
        int[] expected = {0, 1, 17, 7, 8, 9, 26, 31, 31, 15};
        for (int i = 0; i < distances.length; i++) {
            assertEquals(expected[i], at(t5, distances[i]), "distance " + distances[i]);
        }
        var deberta = DistanceBuckets.deberta(512, 256, true, 512);
        assertEquals(256, at(deberta, 0));
        assertEquals(257, at(deberta, -1));
        assertEquals(128, at(deberta, 128));
        assertEquals(256 + 129, at(deberta, -129));
        assertEquals(511, at(deberta, -511));
        assertEquals(1, at(deberta, 511));
        assertThrows(IllegalArgumentException.class, () -> DistanceBuckets.t5(10, 3, 128));
        assertThrows(IllegalArgumentException.class, () -> DistanceBuckets.deberta(10, 2, true, 512));
        assertThrows(IllegalArgumentException.class, () -> DistanceBuckets.of(10, 2, _ -> 2));
        assertThrows(IllegalArgumentException.class, () -> DistanceBuckets.of(0, 2, _ -> 0));
    }

    private static int at(DistanceBuckets buckets, int distance) {
        return buckets.ofDistance().segment().getAtIndex(ValueLayout.JAVA_INT, buckets.keys() - 1L + distance);
    }

    private static Tensor heads(Arena arena, int seed) {
        return heads(random(arena, seed, TOKENS, HEADS * 8), 8);
    }

    private static Tensor heads(Tensor matrix, int dim) {
        return Tensor.of(matrix.segment(), DType.F32, Shape.of(matrix.size(0), HEADS, dim));
    }

    private static Tensor random(Arena arena, int seed, long rows, long columns) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(rows, columns));
        Random random = new Random(seed);
        for (long i = 0; i < rows * columns; i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return tensor;
    }
}
