package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.fovea.Engine;
import dev.fovea.KernelException;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Outputs are memory that anyone may write to, also while a run reads them again: results may be wrong, no more. */
class OutputRaceTest {
    private static final int RUNS = 40;
    private static final int TOKENS = 64;
    private static final int WIDTH = 512;

    static List<Engine> engines() {
        return Engines.all();
    }

    /** A top k keeps its list of columns in the output, and the gather behind it reads them. */
    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldSurviveWritesToIndices(Engine engine) throws Exception {
        try (Arena arena = Arena.ofConfined();
                Plan plan = Plan.compile(topAndValues(arena), engine);
                Session session = plan.newSession(TOKENS, 1)) {
            Batch batch = Batch.random(3, 50, TOKENS);
            float[][] before = batch.run(session, 1);
            MemorySegment indices = session.output(0).segment();
            AtomicBoolean done = new AtomicBoolean();
            Thread writer = Thread.ofPlatform().start(() -> {
                while (!done.get()) {
                    for (long i = 0; i < indices.byteSize() / Integer.BYTES; i++) {
                        indices.setAtIndex(ValueLayout.JAVA_INT, i, (i & 1) == 0 ? 0x7fff0000 : -0x7fff0000);
                    }
                }
            });
            try {
                for (int i = 0; i < RUNS; i++) {
                    try {
                        batch.run(session, 1);
                    } catch (KernelException | IndexOutOfBoundsException refused) {
                        assertNotNull(refused.getMessage());
                    }
                }
            } finally {
                done.set(true);
                writer.join();
            }
            assertArrayEquals(before, batch.run(session, 1));
        }
    }

    private static Graph topAndValues(Arena arena) {
        Tensor words = new RandomWeights(arena, new Random(2)).matrix(50, WIDTH);
        Graph.Builder g = Graph.builder();
        Value x = g.embedding(words, null, 0, null);
        Value top = g.topK(x, WIDTH / 4);
        return g.build(top, g.gather(x, top));
    }
}
