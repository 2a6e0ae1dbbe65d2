package dev.fovea.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whoever uses an attention or a cache while another does, or closes it, is told so; no one's memory goes away. */
@Tag("slow")
class AttentionLifetimeTest {
    private static final int ROUNDS = 60;
    private static final int THREADS = 3;

    static List<Engine> engines() {
        return AttentionEngines.perBackend();
    }

    private static AttentionSpec spec() {
        return AttentionSpec.of(2, 16).withMask(Mask.causal());
    }

    private static Tensor f32(Arena arena, long... sizes) {
        return Tensor.allocate(arena, DType.F32, Shape.of(sizes));
    }

    /** Tensors of one thread's own. */
    private static AttentionTensors tensors(Arena arena, int tokens) {
        return AttentionTensors.of(f32(arena, tokens, 2, 16), f32(arena, tokens, 2, 16), f32(arena, tokens, 2, 16),
                f32(arena, tokens, 2, 16));
    }

    private interface Step {
        void take(int thread, int call);
    }

    /** Runs a step on several threads until each is told that it came too late, and closes meanwhile. */
    private static int hammer(Step step, Runnable close) throws Exception {
        AtomicInteger served = new AtomicInteger();
        CountDownLatch started = new CountDownLatch(THREADS);
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            int thread = t;
            FutureTask<Void> task = new FutureTask<>(() -> {
                for (int call = 0;; call++) {
                    try {
                        step.take(thread, call);
                        served.incrementAndGet();
                    } catch (IllegalStateException e) {
                        if (e.getMessage().contains("closed")) {
                            return null;
                        }
                        assertTrue(e.getMessage().contains("in use by another thread"), e.getMessage());
                    } finally {
                        started.countDown();
                    }
                }
            });
            tasks.add(task);
            Thread.ofPlatform().daemon().start(task);
        }
        // Until so many calls were made, lest a busy host close before there is one.
        started.await();
        Thread.sleep(1);
        close.run();
        for (FutureTask<Void> task : tasks) {
            join(task);
        }
        return served.get();
    }

    private static void join(FutureTask<Void> task) throws InterruptedException, TimeoutException {
        try {
            task.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("a thread ended by " + e.getCause(), e.getCause());
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldOnlyThrowIllegalStateWhenAttentionIsClosedUnderItsUsers(Engine engine) throws Exception {
        int served = 0;
        for (int round = 0; round < ROUNDS; round++) {
            try (Arena arena = Arena.ofShared()) {
                AttentionTensors tensors = tensors(arena, 40);
                Attention attention = Attention.create(engine, spec());
                served += hammer((thread, call) -> attention.run(tensors), attention::close);
            }
        }
        assertTrue(served > 0);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldOnlyThrowIllegalStateWhenCacheIsClosedUnderItsUsers(Engine engine) throws Exception {
        int served = 0;
        for (int round = 0; round < ROUNDS; round++) {
            List<Attention> attentions = new ArrayList<>();
            try (Arena arena = Arena.ofShared()) {
                KvCache cache = KvCache.create(engine, spec(), 2, 100);
                Tensor k = f32(arena, 3, 2, 16);
                List<AttentionTensors> tensors = new ArrayList<>();
                for (int t = 0; t < THREADS; t++) {
                    attentions.add(Attention.create(engine, spec()));
                    tensors.add(AttentionTensors.of(f32(arena, 3, 2, 16), cache, f32(arena, 3, 2, 16)));
                }
                served += hammer((thread, call) -> {
                    switch ((call + thread) % 4) {
                        case 0 -> cache.append(0, k, k);
                        case 1 -> attentions.get(thread).run(tensors.get(thread));
                        case 2 -> cache.fork(0, 1);
                        default -> cache.truncate(0, 0);
                    }
                }, cache::close);
            } finally {
                attentions.forEach(Attention::close);
            }
        }
        assertTrue(served > 0);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldRefuseOthersWhileOneRuns(Engine engine) throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger refused = new AtomicInteger();
        try (Arena arena = Arena.ofShared(); var attention = Attention.create(engine, spec())) {
            AttentionTensors tensors = tensors(arena, 500);
            List<FutureTask<Void>> tasks = new ArrayList<>();
            for (int t = 0; t < 2; t++) {
                FutureTask<Void> task = new FutureTask<>(() -> {
                    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                    while (refused.get() == 0 && System.nanoTime() < end) {
                        try {
                            attention.run(tensors);
                            inside.incrementAndGet();
                        } catch (IllegalStateException e) {
                            assertEquals("attention is in use by another thread", e.getMessage());
                            refused.incrementAndGet();
                        }
                    }
                    return null;
                });
                tasks.add(task);
                Thread.ofPlatform().daemon().start(task);
            }
            for (FutureTask<Void> task : tasks) {
                join(task);
            }
        }
        assertTrue(inside.get() > 0 && refused.get() > 0, inside + " served, " + refused + " refused");
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldServeManyAttentionsOnOneEngineAtOnce(Engine engine) throws Exception {
        List<FutureTask<Void>> tasks = new ArrayList<>();
        for (int t = 0; t < THREADS; t++) {
            FutureTask<Void> task = new FutureTask<>(() -> {
                try (Arena arena = Arena.ofConfined(); var attention = Attention.create(engine, spec())) {
                    AttentionTensors tensors = tensors(arena, 65);
                    tensors.v().segment().fill((byte) 0x3f);
                    float expected = tensors.v().getFloat(0, 0, 0);
                    for (int i = 0; i < 100; i++) {
                        tensors.out().segment().fill((byte) 0);
                        attention.run(tensors);
                        assertEquals(expected, tensors.out().getFloat(64, 1, 15), 1e-6f);
                    }
                }
                return null;
            });
            tasks.add(task);
            Thread.ofPlatform().daemon().start(task);
        }
        for (FutureTask<Void> task : tasks) {
            join(task);
        }
    }
}
