package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.EngineOptions;
import dev.fovea.RecordingEngine;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

@Tag("slow")
@Timeout(60)
class SessionMisuseTest {
    private static final Bert BERT = Bert.small();

    private final Arena arena = Arena.ofShared();
    private final Graph graph = BERT.graph(arena);
    private final Plan plan = Plan.compile(graph, Engines.java());
    private final Session session = plan.newSession(100, 4);

    static List<Engine> engines() {
        return Engines.all();
    }

    @AfterEach
    void closeAll() {
        session.close();
        plan.close();
        arena.close();
    }

    @Test
    void shouldRejectMoreSequencesThanItHolds() {
        rejects(() -> session.run(5), "capacity for 4 sequences, got 5");
    }

    @Test
    void shouldRejectANegativeNumberOfSequences() {
        rejects(() -> session.run(-1), "4 sequences, got -1");
    }

    @Test
    void shouldRejectMoreTokensThanItHolds() {
        Batch.write(session.offsets(), 0, 50, 101);
        rejects(() -> session.run(2), "capacity for 100 tokens, got 101");
    }

    @Test
    void shouldRejectOffsetsThatDoNotBeginWithZero() {
        Batch.write(session.offsets(), 1, 3);
        rejects(() -> session.run(1), "begin with 0, got 1");
        Batch.write(session.offsets(), -1, 3);
        rejects(() -> session.run(1), "begin with 0, got -1");
    }

    @Test
    void shouldRejectOffsetsThatDecrease() {
        Batch.write(session.offsets(), 0, 9, 5);
        rejects(() -> session.run(2), "offsets[1] = 9", "offsets[2] = 5");
    }

    @Test
    void shouldRejectIdsOutsideTheVocabulary() {
        Batch.write(session.offsets(), 0, 3);
        Batch.write(session.ids(), 1, BERT.vocabulary(), 1);
        rejects(() -> session.run(1), "97");
        Batch.write(session.ids(), 1, -1, 1);
        rejects(() -> session.run(1), "-1");
    }

    @Test
    void shouldRejectSequencesLongerThanThePositions() {
        Batch.write(session.offsets(), 0, 65);
        rejects(() -> session.run(1), "64", "65");
    }

    @Test
    void shouldStayUsableAfterARejection() {
        var batch = Batch.random(1, BERT.vocabulary(), 4, 6);
        float[][] before = batch.run(session, 0);
        Batch.write(session.ids(), -1);
        rejects(() -> session.run(1));
        assertEquals(before[1][7], batch.run(session, 0)[1][7]);
    }

    @Test
    void shouldRejectCapacitiesBelowOne() {
        rejects(() -> plan.newSession(0, 1), "0 tokens", "1 sequences");
        rejects(() -> plan.newSession(8, -2), "8 tokens", "-2 sequences");
    }

    @Test
    void shouldRejectOutputsThatAreNotThere() {
        assertThrows(IndexOutOfBoundsException.class, () -> session.output(1));
    }

    @Test
    void shouldFailAfterTheSessionIsClosed() {
        Tensor ids = session.ids();
        session.close();
        fails(() -> session.run(1), "session is closed");
        fails(session::ids, "session is closed");
        fails(session::offsets, "session is closed");
        fails(session::output, "session is closed");
        fails(() -> session.ensureCapacity(1000, 1), "session is closed");
        fails(() -> ids.segment().fill((byte) 0), "");
        assertDoesNotThrow(session::close);
    }

    @Test
    void shouldFailAfterThePlanIsClosed() {
        plan.close();
        fails(() -> session.run(0), "plan is closed");
        fails(() -> session.ensureCapacity(1000, 1), "plan is closed");
        fails(() -> plan.newSession(1, 1), "plan is closed");
        assertDoesNotThrow(plan::close);
    }

    @Test
    void shouldFailAfterAConstantsArenaIsClosed() {
        for (Engine engine : Engines.all()) {
            if (engine instanceof RecordingEngine || engine.backend() == Backend.CUDA) {
                continue; // their weights are copies
            }
            Arena weights = Arena.ofShared();
            var g = Graph.builder();
            Graph graph = g.build(g.embedding(Tensor.copyOf(weights, new float[8], 2, 4), null, 0, null));
            try (Plan orphan = Plan.compile(graph, engine); Session run = orphan.newSession(4, 1)) {
                Batch.write(run.offsets(), 0, 1);
                run.run(1);
                weights.close();
                assertThrows(IllegalStateException.class, () -> run.run(1));
                assertThrows(IllegalStateException.class, () -> orphan.newSession(4, 1));
            }
        }
    }

    @Test
    void shouldNotCompileConstantsOfAClosedArena() {
        Graph stale;
        try (Arena weights = Arena.ofShared()) {
            stale = BERT.graph(weights);
        }
        assertThrows(IllegalStateException.class, () -> Plan.compile(stale, Engines.java()));
    }

    @Test
    void shouldNotCompileForAClosedEngine() {
        Engine closed = Engine.create(EngineOptions.defaults().withBackend(Backend.JAVA).withThreads(1));
        closed.close();
        assertThrows(IllegalStateException.class, () -> Plan.compile(graph, closed));
    }

    @Test
    void shouldNameNullArguments() {
        assertThrows(NullPointerException.class, () -> Plan.compile(null, Engines.java()));
        assertThrows(NullPointerException.class, () -> Plan.compile(graph, null));
        assertThrows(NullPointerException.class, () -> Plan.compile(graph, Engines.java(), (DType) null));
    }

    @Test
    void shouldNameATypeThatWeightsAreNotKeptAs() {
        var e = assertThrows(
                IllegalArgumentException.class, () -> Plan.compile(graph, Engines.java(), DType.U8));
        assertEquals("weights are kept as F32, F16, BF16, I8 or in blocks, got U8", e.getMessage());
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldLetOneThreadInAtATime(Engine engine) throws InterruptedException {
        try (Plan shared = Plan.compile(graph, engine); Session contended = shared.newSession(200, 4)) {
            Batch.random(1, BERT.vocabulary(), 60, 60, 60).writeTo(contended);
            List<RuntimeException> failures = inParallel(4, 100, () -> contended.run(3));
            assertFalse(failures.isEmpty());
            failures.forEach(failure -> assertEquals("session is in use by another thread", failure.getMessage()));
        }
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldEndRunsWellWhenThePlanOrTheSessionCloses(Engine engine) throws InterruptedException {
        for (int round = 0; round < 20; round++) {
            Plan doomed = Plan.compile(graph, engine);
            List<Session> sessions = List.of(doomed.newSession(64, 2), doomed.newSession(64, 2));
            sessions.forEach(run -> Batch.random(1, BERT.vocabulary(), 30, 30).writeTo(run));
            var failures = new ConcurrentLinkedQueue<RuntimeException>();
            var started = new CountDownLatch(sessions.size());
            List<Thread> threads = sessions.stream()
                    .map(run -> Thread.ofPlatform().start(() -> runUntilItFails(run, started, failures)))
                    .toList();
            started.await();
            sessions.getFirst().close();
            doomed.close();
            for (Thread thread : threads) {
                thread.join();
            }
            sessions.forEach(Session::close);
            assertEquals(2, failures.size());
            failures.forEach(e -> assertTrue(e instanceof IllegalStateException && e.getMessage().endsWith(" is closed"),
                    e.toString()));
        }
    }

    private static void runUntilItFails(Session run, CountDownLatch started, ConcurrentLinkedQueue<RuntimeException> to) {
        try {
            while (true) {
                run.run(2);
                started.countDown();
            }
        } catch (RuntimeException e) {
            to.add(e);
        }
    }

    /** What {@code call}, made many times by many threads at once, has thrown. */
    private static List<RuntimeException> inParallel(int threads, int times, Runnable call)
            throws InterruptedException {
        var failures = new ConcurrentLinkedQueue<RuntimeException>();
        List<Thread> started = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            started.add(Thread.ofPlatform().start(() -> {
                for (int i = 0; i < times; i++) {
                    try {
                        call.run();
                    } catch (RuntimeException e) {
                        failures.add(e);
                    }
                }
            }));
        }
        for (Thread thread : started) {
            thread.join();
        }
        return List.copyOf(failures);
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("engines")
    void shouldReadInputsOnceWhenTheyChangeDuringARun(Engine engine) throws Exception {
        int[] ids = {1, 2};
        int[] starts = {30, 20};
        try (Plan compiled = Plan.compile(graph, engine); Session raced = compiled.newSession(100, 4)) {
            MemorySegment id = raced.ids().segment().asSlice(7 * Integer.BYTES, Integer.BYTES);
            MemorySegment start = raced.offsets().segment().asSlice(Integer.BYTES, Integer.BYTES);
            Batch.random(1, BERT.vocabulary(), 30, 30).writeTo(raced);
            Set<FloatBuffer> results = new HashSet<>();
            for (int i = 0; i < 4; i++) {
                id.set(ValueLayout.JAVA_INT, 0, ids[i % 2]);
                start.set(ValueLayout.JAVA_INT, 0, starts[i / 2]);
                results.add(resultOf(raced));
            }
            assertEquals(4, results.size());
            AtomicBoolean done = new AtomicBoolean();
            Thread writer = Thread.ofPlatform().daemon().start(() -> {
                var random = new SplittableRandom(7);
                while (!done.get()) {
                    id.set(ValueLayout.JAVA_INT, 0,
                            random.nextInt(3) == 0 ? Integer.MAX_VALUE : ids[random.nextInt(2)]);
                    start.set(ValueLayout.JAVA_INT, 0,
                            random.nextInt(3) == 0 ? 1_000_000_000 : starts[random.nextInt(2)]);
                }
            });
            Set<FloatBuffer> seen = new HashSet<>();
            int refused = 0;
            int least = engine.backend() == Backend.CUDA ? 200 : 2000; // an emulated one takes 8 ms a run
            try {
                // Until the race has shown itself; the class's timeout ends it where there is none.
                for (int run = 0; run < least || seen.size() < 2 || refused == 0; run++) {
                    try {
                        FloatBuffer result = resultOf(raced);
                        assertTrue(results.contains(result), "a result of no valid inputs");
                        seen.add(result);
                    } catch (IllegalArgumentException _) {
                        refused++;
                    }
                }
            } finally {
                done.set(true);
                writer.join();
            }
        }
    }

    /** The output for the two sequences of 60 tokens that the session holds. */
    private static FloatBuffer resultOf(Session session) {
        session.run(2);
        Tensor out = session.output();
        long rows = out.size(0) == session.maxSequences() ? 2 : 60;
        return FloatBuffer.wrap(
                out.segment().asSlice(0, rows * out.stride(0) * Float.BYTES).toArray(ValueLayout.JAVA_FLOAT));
    }

    private static void rejects(Executable call, String... parts) {
        requireParts(assertThrows(IllegalArgumentException.class, call), parts);
    }

    private static void fails(Executable call, String... parts) {
        requireParts(assertThrows(IllegalStateException.class, call), parts);
    }

    private static void requireParts(RuntimeException e, String... parts) {
        for (String part : parts) {
            assertTrue(String.valueOf(e.getMessage()).contains(part), () -> "expected <" + part + "> in <" + e + ">");
        }
    }
}
