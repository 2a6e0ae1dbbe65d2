package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Indices that another thread writes to during a call end in a result or an exception, not in foreign memory. */
class IndexRaceTest {
    private static final int SEQUENCES = 3;
    private static final int TOKENS = 24;
    private static final long NANOS = 200_000_000;

    static List<Engine> engines() {
        return AttentionEngines.perBackend();
    }

    /** Runs calls while another thread writes to indices: mostly good ones, at times far outside. */
    private static void race(Tensor indices, Runnable call) throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().daemon().start(() -> {
            var random = new SplittableRandom(7);
            while (!done.get()) {
                for (int i = 1; i <= SEQUENCES; i++) {
                    int bad = random.nextInt(-1_000_000_000, 1_000_000_000);
                    indices.segment().setAtIndex(ValueLayout.JAVA_INT, i, random.nextInt(4) == 0 ? bad : good(i));
                }
                for (int i = 1; i <= SEQUENCES; i++) {
                    indices.segment().setAtIndex(ValueLayout.JAVA_INT, i, good(i));
                }
            }
        });
        int served = 0;
        for (long start = System.nanoTime(); System.nanoTime() - start < NANOS || served == 0;) {
            try {
                call.run();
                served++;
            } catch (IllegalArgumentException _) {
                // The writer came first.
            }
        }
        done.set(true);
        writer.join();
        assertTrue(served > 0);
    }

    private static int good(int index) {
        return index * TOKENS / SEQUENCES;
    }

    private static Tensor starts(Arena arena) {
        int[] starts = new int[SEQUENCES + 1];
        for (int i = 0; i <= SEQUENCES; i++) {
            starts[i] = good(i);
        }
        return Tensor.copyOf(arena, starts);
    }

    private static Tensor floats(Arena arena) {
        return Tensor.allocate(arena, DType.F32, Shape.of(TOKENS, 2, 16));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldSurviveOffsetsThatChangeDuringAttention(Engine engine) throws InterruptedException {
        var spec = AttentionSpec.of(2, 16);
        try (Arena arena = Arena.ofShared(); var attention = Attention.create(engine, spec)) {
            Tensor starts = starts(arena);
            var tensors = AttentionTensors.of(floats(arena), floats(arena), floats(arena), floats(arena))
                    .withOffsets(starts, starts);
            race(starts, () -> attention.run(SEQUENCES, tensors));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldSurviveOffsetsThatChangeDuringAppend(Engine engine) throws InterruptedException {
        var spec = AttentionSpec.of(2, 16);
        try (Arena arena = Arena.ofShared(); var cache = KvCache.create(engine, spec, SEQUENCES, TOKENS)) {
            Tensor starts = starts(arena);
            Tensor k = floats(arena);
            Tensor v = floats(arena);
            race(starts, () -> {
                cache.append(k, v, starts);
                cache.reset();
            });
        }
    }
}
