package dev.fovea.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.nio.FloatBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Another thread may write to a caller's indices during a call. The call reads them once: it ends in the result of
 * indices that were there, or in an exception, never in a result of no valid indices or in foreign memory.
 */
class IndexRaceTest {
    private static final int SEQUENCES = 3;
    private static final int TOKENS = 24;
    private static final int HEADS = 2;
    private static final int DIM = 16;
    private static final long NANOS = 200_000_000;
    private static final long MOST_NANOS = 60_000_000_000L;

    /** Offsets of sequences that are valid, whichever of each two values a reader finds. */
    private static final int[][] STARTS = {{0, 8, 16, TOKENS}, {0, 4, 20, TOKENS}};

    /** What a reader may find of {@link #STARTS}. */
    private static final List<int[]> MIXTURES =
            List.of(STARTS[0], STARTS[1], new int[] {0, 8, 20, TOKENS}, new int[] {0, 4, 16, TOKENS});

    static List<Engine> engines() {
        return AttentionEngines.perBackend();
    }

    /**
     * Runs calls while another thread writes to indices, at times a value far outside, until two results and a refusal
     * show that it did.
     *
     * @param results of {@link #MIXTURES}; any other fails
     */
    private static void race(Tensor indices, Set<FloatBuffer> results, Supplier<FloatBuffer> call)
            throws InterruptedException {
        AtomicBoolean done = new AtomicBoolean();
        Thread writer = Thread.ofPlatform().daemon().start(() -> {
            var random = new SplittableRandom(7);
            while (!done.get()) {
                int i = random.nextInt(1, SEQUENCES + 1);
                int bad = random.nextInt(-1_000_000_000, 1_000_000_000);
                int start = random.nextInt(8) == 0 ? bad : STARTS[random.nextInt(2)][i];
                indices.segment().setAtIndex(JAVA_INT, i, start);
            }
        });
        Set<FloatBuffer> seen = new HashSet<>();
        int refused = 0;
        try {
            long start = System.nanoTime();
            for (long nanos = 0; nanos < NANOS || (seen.size() < 2 || refused == 0) && nanos < MOST_NANOS;
                    nanos = System.nanoTime() - start) {
                try {
                    FloatBuffer result = call.get();
                    assertTrue(results.contains(result), "a result of no valid indices");
                    seen.add(result);
                } catch (IllegalArgumentException _) {
                    refused++;
                }
            }
        } finally {
            done.set(true);
            writer.join();
        }
        assertTrue(seen.size() >= 2 && refused > 0,
                "no race: " + seen.size() + " different results, " + refused + " refusals");
    }

    private static Tensor floats(Arena arena, int seed, long... sizes) {
        Tensor tensor = Tensor.allocate(arena, DType.F32, Shape.of(sizes));
        var random = new SplittableRandom(seed);
        for (long i = 0; i < tensor.segment().byteSize() / Float.BYTES; i++) {
            tensor.segment().setAtIndex(JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
        }
        return tensor;
    }

    private static Tensor tokens(Arena arena, int seed) {
        return floats(arena, seed, TOKENS, HEADS, DIM);
    }

    private static FloatBuffer copyOf(Tensor tensor) {
        return FloatBuffer.wrap(tensor.segment().toArray(JAVA_FLOAT));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldReadOffsetsOnceWhenTheyChangeDuringAttention(Engine engine) throws InterruptedException {
        var spec = AttentionSpec.of(HEADS, DIM);
        try (Arena arena = Arena.ofShared(); var attention = Attention.create(engine, spec)) {
            Tensor out = tokens(arena, 0);
            var tensors = AttentionTensors.of(tokens(arena, 1), tokens(arena, 2), tokens(arena, 3), out);
            Set<FloatBuffer> results = new HashSet<>();
            for (int[] queries : MIXTURES) {
                for (int[] keys : MIXTURES) {
                    attention.run(SEQUENCES,
                            tensors.withOffsets(Tensor.copyOf(arena, queries), Tensor.copyOf(arena, keys)));
                    results.add(copyOf(out));
                }
            }
            Tensor starts = Tensor.copyOf(arena, STARTS[0]);
            var racing = tensors.withOffsets(starts, starts);
            race(starts, results, () -> {
                attention.run(SEQUENCES, racing);
                return copyOf(out);
            });
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldReadOffsetsOnceWhenTheyChangeDuringAppend(Engine engine) throws InterruptedException {
        var spec = AttentionSpec.of(HEADS, DIM);
        try (Arena arena = Arena.ofShared(); var cache = KvCache.create(engine, spec, SEQUENCES, TOKENS);
                var attention = Attention.create(engine, spec)) {
            Tensor k = tokens(arena, 1);
            Tensor v = tokens(arena, 2);
            // What the cache holds shows in what a query of each sequence makes of it.
            Tensor out = floats(arena, 0, SEQUENCES, 1, HEADS, DIM);
            var tensors = AttentionTensors.of(floats(arena, 3, SEQUENCES, 1, HEADS, DIM), cache, out);
            Set<FloatBuffer> results = new HashSet<>();
            for (int[] starts : MIXTURES) {
                results.add(appended(cache, k, v, Tensor.copyOf(arena, starts), attention, tensors));
            }
            Tensor starts = Tensor.copyOf(arena, STARTS[0]);
            race(starts, results, () -> appended(cache, k, v, starts, attention, tensors));
        }
    }

    /** What attention gives after keys and values were appended to the empty cache, which is empty again then. */
    private static FloatBuffer appended(KvCache cache, Tensor k, Tensor v, Tensor starts, Attention attention,
            AttentionTensors tensors) {
        try {
            cache.append(k, v, starts);
        } catch (IllegalArgumentException e) {
            for (int s = 0; s < SEQUENCES; s++) {
                assertEquals(0, cache.length(s), "length of sequence " + s + " after a refusal");
            }
            throw e;
        }
        attention.run(SEQUENCES, tensors);
        cache.reset();
        return copyOf(tensors.out());
    }
}
