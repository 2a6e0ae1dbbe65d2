package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.EmulatedGpu;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.KernelException;
import dev.fovea.attention.Attention;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.DeviceMemory;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What goes wrong on a GPU becomes the exception that is documented; nothing leaks, and the JVM lives. */
class CudaFaultTest {
    private static final int NOT_SUPPORTED = 801;

    private Arena arena;
    private Graph graph;

    /** What of the driver's was alive before the test: other tests keep engines open. */
    private List<Long> before;

    @BeforeEach
    void make() {
        EmulatedGpu.require();
        EmulatedGpu.reset();
        before = EmulatedGpu.alive();
        arena = Arena.ofShared();
        graph = Bert.small().graph(arena);
    }

    @AfterEach
    void shouldLeakNothing() {
        if (arena != null) {
            arena.close();
            assertEquals(before, EmulatedGpu.alive());
            String misuse = EmulatedGpu.misuse();
            EmulatedGpu.reset();
            assertEquals(null, misuse);
        }
    }

    private static float[] run(Session session, int... lengths) {
        int[] offsets = new int[lengths.length + 1];
        for (int i = 0; i < lengths.length; i++) {
            offsets[i + 1] = offsets[i] + lengths[i];
        }
        session.run(lengths.length, MemorySegment.ofArray(new int[offsets[lengths.length]]),
                MemorySegment.ofArray(offsets));
        return session.output().segment().toArray(ValueLayout.JAVA_FLOAT);
    }

    /** All that a user does: an engine, a plan, caches, a session, a run, memory and attention of its own. */
    private void useAll() {
        try (Engine engine = EmulatedGpu.engine(); Plan plan = Plan.compile(graph, engine, DType.BF16);
                CacheSet caches = CacheSet.create(engine, List.of(AttentionSpec.of(2, 8)), 1, 8);
                Session session = plan.newSession(8, 2); Arena tensors = Arena.ofConfined();
                DeviceMemory memory = Device.of(engine).allocate(100);
                Attention attention = Attention.create(engine, AttentionSpec.of(2, 8))) {
            assertEquals(1, caches.sequences());
            run(session, 3);
            Device.of(engine).upload(tensors.allocate(40), memory, 4);
            Device.of(engine).download(memory, 4, tensors.allocate(40));
            assertEquals(2, attention.spec().heads());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cuMemAlloc_v2", "cuMemHostAlloc"})
    void shouldSayWhatWasNeededAtEveryAllocationThatFails(String function) {
        int failures = 0;
        for (int n = 1;; n++) {
            EmulatedGpu.reset();
            EmulatedGpu.fail(function, n, EmulatedGpu.CUDA_ERROR_OUT_OF_MEMORY);
            try {
                useAll();
                break;
            } catch (OutOfMemoryError e) {
                failures++;
                assertTrue(e.getMessage().matches(".*needed \\d+ bytes of .*|.*\\d+ bytes of pinned memory"),
                        e.getMessage());
            }
            assertEquals(before, EmulatedGpu.alive(), function + " " + n);
        }
        assertTrue(failures >= 1, function + " failed " + failures + " times");
    }

    @Test
    void shouldThrowAtEveryCallOfTheDriverThatFails() {
        // Or the context would end with the engine, and take what was forgotten along.
        try (Engine witness = EmulatedGpu.engine()) {
            List<Long> expected = EmulatedGpu.alive();
            EmulatedGpu.reset();
            useAll();
            List<String> calls = EmulatedGpu.calls();
            for (int n = 1; n <= calls.size(); n++) {
                EmulatedGpu.reset();
                EmulatedGpu.fail(null, n, NOT_SUPPORTED);
                try {
                    useAll();
                } catch (KernelException | UnsupportedOperationException e) {
                    assertTrue(e.getMessage().contains("CUDA"), e.getMessage());
                }
                if (givesBack(calls.subList(n - 1, calls.size()))) {
                    expected = EmulatedGpu.alive(); // it has not; a later use of the driver must still work
                }
                assertEquals(expected, EmulatedGpu.alive(), calls.get(n - 1) + ", call " + n);
            }
            EmulatedGpu.reset();
            assertDoesNotThrow(this::useAll);
            assertEquals(expected, EmulatedGpu.alive());
            assertEquals(Backend.CUDA, witness.backend());
        }
        before = EmulatedGpu.alive();
    }

    /** Whether the first of these calls of the driver gives something back, or enters a context to do so. */
    private static boolean givesBack(List<String> calls) {
        boolean enters = calls.getFirst().contains("PushCurrent") && calls.size() > 1;
        return calls.get(enters ? 1 : 0).matches(".*(Free|Destroy|Unload|Release|PopCurrent).*");
    }

    @Test
    void shouldBoundTheMemory() {
        try (Engine engine = EmulatedGpu.engine(EngineOptions.defaults().withDeviceMemory(200_000))) {
            var tooLarge = assertThrows(OutOfMemoryError.class, () -> Device.of(engine).allocate(300_000));
            assertEquals("device memory: needed 300000 bytes of the GPU's memory, of which 200000 are free",
                    tooLarge.getMessage());
            try (DeviceMemory _ = Device.of(engine).allocate(150_000)) {
                var left = assertThrows(OutOfMemoryError.class, () -> Device.of(engine).allocate(100_000));
                assertTrue(left.getMessage().contains("needed 100000 bytes"), left.getMessage());
                var plan = assertThrows(OutOfMemoryError.class, () -> Plan.compile(graph, engine));
                assertTrue(plan.getMessage().startsWith("plan: needed "), plan.getMessage());
            }
            try (Plan plan = Plan.compile(graph, engine)) {
                var session = assertThrows(OutOfMemoryError.class, () -> plan.newSession(1000, 10));
                assertTrue(session.getMessage().startsWith("session: needed "), session.getMessage());
            }
        }
    }

    @Test
    void shouldThrowWhenTheDeviceIsLostInTheMiddleOfARun() {
        try (Engine engine = EmulatedGpu.engine(); Plan plan = Plan.compile(graph, engine);
                Session session = plan.newSession(8, 2)) {
            run(session, 3);
            EmulatedGpu.set(EmulatedGpu.LOSE_AT_KERNEL, 5);
            for (int i = 0; i < 2; i++) {
                var lost = assertThrows(KernelException.class, () -> run(session, 3));
                assertTrue(lost.getMessage().contains("the GPU is lost"), lost.getMessage());
            }
            assertThrows(KernelException.class, () -> plan.newSession(8, 2));
            assertThrows(KernelException.class, () -> Plan.compile(graph, engine));
            assertThrows(KernelException.class, () -> Device.of(engine).allocate(100));
        }
        if (before.get(EmulatedGpu.LIVE_CONTEXTS) > 0) {
            before = EmulatedGpu.alive(); // what a lost context holds goes with the last engine on it, here another test's
        }
        EmulatedGpu.reset();
        useAll();
    }

    @Test
    void shouldCloseInAnyOrderAndTwice() {
        Engine engine = EmulatedGpu.engine();
        Plan plan = Plan.compile(graph, engine);
        Session session = plan.newSession(8, 2);
        DeviceMemory memory = Device.of(engine).allocate(100);
        Attention attention = Attention.create(engine, AttentionSpec.of(2, 8));
        float[] expected = run(session, 3);
        engine.close();
        engine.close();
        assertThrows(IllegalStateException.class, () -> run(session, 3));
        assertArrayEquals(expected, session.output().segment().toArray(ValueLayout.JAVA_FLOAT));
        assertThrows(IllegalStateException.class, () -> plan.newSession(8, 2));
        assertThrows(IllegalStateException.class, () -> Plan.compile(graph, engine));
        assertThrows(IllegalStateException.class, () -> Attention.create(engine, AttentionSpec.of(2, 8)));
        assertThrows(IllegalStateException.class,
                () -> Device.of(engine).download(memory, 0, MemorySegment.ofArray(new byte[8])));
        var output = session.output();
        plan.close();
        session.close();
        session.close();
        plan.close();
        assertThrows(IllegalStateException.class, () -> output.segment().get(ValueLayout.JAVA_FLOAT, 0));
        memory.close();
        memory.close();
        attention.close();
        attention.close();
    }

    @Test
    void shouldNotUseMemoryThatIsClosed() {
        try (Engine engine = EmulatedGpu.engine(); DeviceMemory open = Device.of(engine).allocate(64)) {
            DeviceMemory closed = Device.of(engine).allocate(64);
            closed.close();
            Device device = Device.of(engine);
            MemorySegment bytes = arena.allocate(16);
            assertThrows(IllegalStateException.class, () -> device.upload(bytes, closed, 0));
            assertThrows(IllegalStateException.class, () -> device.download(closed, 0, bytes));
            assertThrows(IllegalStateException.class, () -> device.copy(closed, 0, open, 0, 8));
            assertThrows(IndexOutOfBoundsException.class, () -> device.upload(bytes, open, 49));
            assertThrows(IndexOutOfBoundsException.class, () -> device.download(open, -1, bytes));
            assertThrows(IndexOutOfBoundsException.class, () -> device.copy(open, 0, open, 60, 8));
        }
    }

    /** A run holds its engine: closing while a thread runs again and again meets a run, or else the next engine's does. */
    @Test
    void shouldNotCloseAnEngineThatRuns() throws Exception {
        try (var threads = Executors.newSingleThreadExecutor()) {
            for (int attempt = 0;; attempt++) {
                assertTrue(attempt < 100, "no run was met");
                Engine engine = EmulatedGpu.engine();
                try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(60, 2)) {
                    float[] expected = run(session, 50);
                    var stop = new AtomicBoolean();
                    var begun = new CountDownLatch(1);
                    Future<?> runs = threads.submit(() -> {
                        while (!stop.get()) {
                            begun.countDown();
                            assertArrayEquals(expected, run(session, 50));
                        }
                        return null;
                    });
                    begun.await();
                    try {
                        engine.close();
                    } catch (IllegalStateException busy) {
                        assertTrue(busy.getMessage().contains("running"), busy.getMessage());
                        stop.set(true);
                        runs.get();
                        engine.close();
                        return;
                    }
                    var closed = assertThrows(ExecutionException.class, runs::get);
                    assertTrue(closed.getCause() instanceof IllegalStateException, closed.toString());
                }
            }
        }
    }

    /** What runs keeps what it uses alive; what is closed meanwhile goes when the run ends. */
    @Test
    void shouldEndTheRunThatAnotherThreadClosesUnder() throws Exception {
        try (Engine engine = EmulatedGpu.engine(); var threads = Executors.newSingleThreadExecutor()) {
            Plan plan = Plan.compile(graph, engine);
            Session session = plan.newSession(60, 2);
            float[] expected = run(session, 50);
            var running = new CountDownLatch(1);
            Future<Integer> runs = threads.submit(() -> {
                for (int count = 0;; count++) {
                    running.countDown();
                    try {
                        assertArrayEquals(expected, run(session, 50));
                    } catch (IllegalStateException closed) {
                        return count;
                    }
                }
            });
            running.await();
            Thread.sleep(20);
            plan.close();
            session.close();
            assertTrue(runs.get() >= 0);
        }
    }

    @Test
    void shouldGiveManyThreadsTheSameBits() throws Exception {
        try (Engine engine = EmulatedGpu.engine(); Plan plan = Plan.compile(graph, engine);
                Session alone = plan.newSession(8, 2); var threads = Executors.newFixedThreadPool(4)) {
            float[] expected = run(alone, 3, 4);
            List<Callable<Boolean>> tasks = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                tasks.add(() -> {
                    try (Session session = plan.newSession(8, 2)) {
                        for (int j = 0; j < 3; j++) {
                            assertArrayEquals(expected, run(session, 3, 4));
                        }
                        return true;
                    }
                });
            }
            for (Future<Boolean> task : threads.invokeAll(tasks)) {
                assertTrue(task.get());
            }
        }
    }
}
