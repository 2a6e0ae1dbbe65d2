package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.ops.Pooling;
import dev.fovea.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole plans on the emulated GPU, against plain Java. */
@Tag("slow")
class CudaGraphTest {
    /** MiniLM with two layers and a small vocabulary. */
    private static final Bert MINI_LM = new Bert(2, 384, 12, 1536, 60, 40, Pooling.MEAN);

    @BeforeEach
    void reset() {
        EmulatedGpu.require();
        EmulatedGpu.reset();
    }

    @AfterEach
    void shouldHaveUsedTheDriverAsItIsMeant() {
        assertEquals(null, EmulatedGpu.misuse());
    }

    /** The outputs of sequences of these lengths, [sequences][columns]. */
    private static float[][] run(Session session, int[] ids, int... lengths) {
        int[] offsets = new int[lengths.length + 1];
        for (int i = 0; i < lengths.length; i++) {
            offsets[i + 1] = offsets[i] + lengths[i];
        }
        session.run(lengths.length, MemorySegment.ofArray(ids), MemorySegment.ofArray(offsets));
        float[] all = session.output().segment().toArray(ValueLayout.JAVA_FLOAT);
        int columns = (int) session.output().size(1);
        float[][] rows = new float[lengths.length][];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = Arrays.copyOfRange(all, i * columns, (i + 1) * columns);
        }
        return rows;
    }

    private static int[] ids(int count) {
        return new Random(3).ints(count, 0, MINI_LM.vocabulary()).toArray();
    }

    private static double largest(float[][] expected, float[][] actual) {
        double largest = 0;
        for (int i = 0; i < expected.length; i++) {
            for (int j = 0; j < expected[i].length; j++) {
                double difference = Math.abs(expected[i][j] - actual[i][j]);
                largest = Math.max(largest, Double.isNaN(difference) ? Double.MAX_VALUE : difference);
            }
        }
        return largest;
    }

    @ParameterizedTest
    @CsvSource({"F32, 1e-5", "BF16, 4e-3", "F16, 5e-4"})
    void shouldEncodeAsTheCpuDoes(DType weights, double tolerance) {
        int[][] batches = {{5}, {1, 9}, {3, 0, 17, 6, 2}};
        try (Arena arena = Arena.ofConfined(); Engine engine = EmulatedGpu.engine();
                Plan expected = Plan.compile(MINI_LM.graph(arena), Engines.java());
                Plan plan = Plan.compile(MINI_LM.graph(arena), engine, weights);
                Session reference = expected.newSession(40, 5); Session session = plan.newSession(40, 5)) {
            for (int[] lengths : batches) {
                int[] ids = ids(Arrays.stream(lengths).sum());
                float[][] vectors = run(session, ids, lengths);
                double error = largest(run(reference, ids, lengths), vectors);
                assertTrue(error <= tolerance, weights + " " + Arrays.toString(lengths) + ": " + error);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"F32", "BF16"})
    void shouldGiveATextTheSameBitsInAnyCompany(DType weights) {
        try (Arena arena = Arena.ofConfined(); Engine engine = EmulatedGpu.engine();
                Plan plan = Plan.compile(Bert.small().graph(arena), engine, weights);
                Session session = plan.newSession(64, 4)) {
            int[] ids = ids(30);
            float[][] together = run(session, ids, 7, 19, 0, 4);
            assertArrayEquals(together[0], run(session, ids, 7)[0]);
            assertArrayEquals(together[1], run(session, Arrays.copyOfRange(ids, 7, 26), 19)[0]);
            try (Session small = plan.newSession(4, 1)) {
                assertArrayEquals(together[3], run(small, Arrays.copyOfRange(ids, 26, 30), 4)[0]);
            }
        }
    }

    @Test
    void shouldRunByOneLaunchOfAGraph() {
        try (Arena arena = Arena.ofConfined(); Engine engine = EmulatedGpu.engine();
                Plan plan = Plan.compile(Bert.small().graph(arena), engine);
                Session session = plan.newSession(64, 4)) {
            long launches = EmulatedGpu.get(EmulatedGpu.GRAPH_LAUNCHES);
            run(session, ids(9), 4, 5);
            assertEquals(launches + 1, EmulatedGpu.get(EmulatedGpu.GRAPH_LAUNCHES));
        }
    }
}
