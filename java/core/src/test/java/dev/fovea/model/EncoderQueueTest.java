package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.EngineOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A queue gives what its model gives, to everyone who asks, or says why not. */
@Timeout(120)
class EncoderQueueTest {
    private static final EncoderOptions ONE_THREAD =
            EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
    private static final QueueOptions ONE_WORKER = QueueOptions.defaults().withWorkers(1);

    @TempDir
    private Path directory;

    private TextEncoder encoder;

    @BeforeEach
    void load() throws Exception {
        encoder = TextEncoder.load(new TinyModel(1).write(directory.resolve("tiny")), ONE_THREAD);
    }

    @AfterEach
    void close() {
        encoder.close();
    }

    /** Holds the queue's thread behind each batch, until it is let go. */
    private static final class Gate implements QueueListener {
        private final Semaphore open = new Semaphore(0);
        private final CountDownLatch held = new CountDownLatch(1);
        private final List<Batch> batches = new ArrayList<>();
        private int refused;
        private int withdrawn;

        @Override
        public void ran(Batch batch) {
            held.countDown();
            open.acquireUninterruptibly();
            batches.add(batch);
        }

        @Override
        public void refused(int inputs, long tokens) {
            refused += inputs;
        }

        @Override
        public void withdrawn(int inputs) {
            withdrawn += inputs;
        }

        /** Hands over an input, whose batch holds the thread from now on. */
        CompletableFuture<TextEmbedding> hold(EncoderQueue<TextEmbedding> queue, EncoderInput<TextEmbedding> input)
                throws InterruptedException {
            CompletableFuture<TextEmbedding> first = queue.submit(input);
            held.await();
            return first;
        }

        void letGo() {
            open.release(1_000_000);
        }
    }

    private static String text(int i) {
        return "w" + i % 45 + " w3".repeat(i % 17);
    }

    @Test
    void shouldGiveTenThousandVirtualThreadsTheBitsOfEachAlone() throws Exception {
        float[][] expected = IntStream.range(0, 45 * 17).mapToObj(i -> encoder.encode(text(i))).toArray(float[][]::new);
        Path file = directory.resolve("pinned.jfr");
        try (var recording = new Recording();
                var queue = EncoderQueue.of(encoder, QueueOptions.defaults().withWorkers(2));
                var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            recording.enable("jdk.VirtualThreadPinned").withThreshold(Duration.ofMillis(1));
            recording.start();
            List<Future<TextEmbedding>> calls = IntStream.range(0, 10_000)
                    .mapToObj(i -> callers.submit(() -> queue.run(encoder.input(text(i))))).toList();
            for (int i = 0; i < calls.size(); i++) {
                assertArrayEquals(expected[i % expected.length], calls.get(i).get().vector(), text(i));
            }
            recording.stop();
            recording.dump(file);
            assertEquals(0, queue.waitingInputs());
            assertEquals(0, queue.waitingTokens());
        }
        assertEquals(List.of(), RecordingFile.readAllEvents(file).stream()
                .filter(event -> String.valueOf(event.getStackTrace()).contains("dev.fovea")).toList());
    }

    @Test
    void shouldGatherInOrderWithinTheTokensOfABatch() throws Exception {
        var gate = new Gate();
        try (var queue = EncoderQueue.of(encoder, ONE_WORKER.withBatchTokens(10).withListener(gate))) {
            var first = gate.hold(queue, encoder.input("w1"));
            // 3 and 4 and 3 tokens, 18, which is more than a batch has, and 5
            var all = queue.submitAll(List.of("w1", "w1 w2", "w3", "w1" + " w2".repeat(15), "w1 w2 w3").stream()
                    .map(encoder::input).toList());
            assertEquals(5, queue.waitingInputs());
            assertEquals(33, queue.waitingTokens());
            gate.letGo();
            assertEquals(5, all.get().size());
            assertArrayEquals(encoder.encode("w1 w2 w3"), all.get().getLast().vector());
            assertEquals(3, first.get().tokens());
        }
        assertEquals(List.of(3, 10, 18, 5), gate.batches.stream().map(QueueListener.Batch::tokens).toList());
        assertEquals(List.of(1, 3, 1, 1), gate.batches.stream().map(QueueListener.Batch::inputs).toList());
        assertTrue(gate.batches.stream().allMatch(batch -> batch.runNanos() > 0 && batch.waitNanos()[0] > 0));
    }

    @Test
    void shouldLingerForOthersUntilABatchIsFullOrTheTimeIsOver() throws Exception {
        var gate = new Gate();
        gate.letGo();
        try (var queue = EncoderQueue.of(encoder,
                ONE_WORKER.withBatchTokens(6).withLinger(Duration.ofSeconds(20)).withListener(gate))) {
            var first = queue.submit(encoder.input("w1"));
            assertThrows(TimeoutException.class, () -> first.get(20, TimeUnit.MILLISECONDS));
            queue.run(encoder.input("w2"));
            assertTrue(first.isDone());
        }
        assertEquals(2, gate.batches.getFirst().inputs());
        try (var queue = EncoderQueue.of(encoder, ONE_WORKER.withLinger(Duration.ofMillis(30)))) {
            long start = System.nanoTime();
            queue.run(encoder.input("w1"));
            assertTrue(System.nanoTime() - start >= 30_000_000);
        }
    }

    @Test
    void shouldRefuseWhatFindsNoRoomAndNameTheBound() throws Exception {
        var gate = new Gate();
        try (var queue = EncoderQueue.of(encoder, ONE_WORKER.withQueuedTokens(8).withListener(gate))) {
            var first = gate.hold(queue, encoder.input("w1"));
            var second = queue.submit(encoder.input("w1 w2 w3"));
            var full = assertThrows(RejectedExecutionException.class,
                    () -> queue.submitAll(List.of(encoder.input("w1"), encoder.input("w2"))));
            assertEquals("the queue of model tiny takes 8 tokens that wait; 5 do, and 6 came", full.getMessage());
            assertEquals(1, queue.waitingInputs(), "all or none");
            var third = queue.submit(encoder.input("w4"));
            gate.letGo();
            assertArrayEquals(encoder.encode("w4"), third.get().vector());
            assertTrue(first.isDone() && second.isDone());
            assertThrows(RejectedExecutionException.class, () -> queue.run(encoder.input("w1 w2 w3 w4 w5 w6 w7")));
        }
        assertEquals(3, gate.refused);
    }

    @Test
    void shouldFailThoseWhoWaitWhenItIsClosedAndAnswerThoseWhoRun() throws Exception {
        var gate = new Gate();
        var queue = EncoderQueue.of(encoder, ONE_WORKER.withListener(gate));
        var first = gate.hold(queue, encoder.input("w1"));
        var second = queue.submit(encoder.input("w2"));
        var caller = Executors.newVirtualThreadPerTaskExecutor().submit(() -> queue.run(encoder.input("w3")));
        while (queue.waitingInputs() < 2) {
            Thread.sleep(1);
        }
        queue.close();
        queue.close();
        assertEquals("queue of tiny is closed", assertThrows(CompletionException.class, second::join).getCause().getMessage());
        assertInstanceOf(IllegalStateException.class, assertThrows(Exception.class, caller::get).getCause());
        assertThrows(IllegalStateException.class, () -> queue.submit(encoder.input("w4")));
        gate.letGo();
        assertArrayEquals(encoder.encode("w1"), first.get().vector());
        EncoderQueue.of(encoder, ONE_WORKER); // which nobody uses
        while (Thread.getAllStackTraces().keySet().stream().anyMatch(t -> t.getName().startsWith("fovea-queue-tiny"))) {
            Thread.sleep(1);
        }
        assertEquals(0, gate.withdrawn);
    }

    @Test
    void shouldWithdrawWhatNobodyWaitsForAnyMore() throws Exception {
        var gate = new Gate();
        try (var queue = EncoderQueue.of(encoder, ONE_WORKER.withListener(gate))) {
            gate.hold(queue, encoder.input("w1"));
            queue.submit(encoder.input("w2")).cancel(true);
            queue.submitAll(List.of(encoder.input("w3"), encoder.input("w4"))).cancel(false);
            var late = assertThrows(TimeoutException.class, () -> queue.run(encoder.input("w5"), Duration.ofMillis(5)));
            assertEquals("the queue of model tiny has given no result within 5 ms; 0 other inputs wait", late.getMessage());
            var timed = queue.submit(encoder.input("w6")).orTimeout(1, TimeUnit.MILLISECONDS);
            assertThrows(CompletionException.class, timed::join);
            var interrupted = new AtomicReference<Throwable>();
            Thread caller = Thread.startVirtualThread(() -> interrupted.set(assertThrows(InterruptedException.class,
                    () -> queue.runAll(List.of(encoder.input("w7"), encoder.input("w8"))))));
            while (queue.waitingInputs() < 2) {
                Thread.sleep(1);
            }
            caller.interrupt();
            caller.join();
            assertInstanceOf(InterruptedException.class, interrupted.get());
            assertEquals(0, queue.waitingInputs());
            assertEquals(0, queue.waitingTokens());
            gate.letGo();
            assertArrayEquals(encoder.encode("w9"), queue.run(encoder.input("w9"), Duration.ofSeconds(20)).vector());
        }
        assertEquals(7, gate.withdrawn);
        assertEquals(2, gate.batches.size());
    }

    @Test
    void shouldTellAnErrorToTheCallerWhoseInputItIsOf() throws Exception {
        var tiny = new TinyModel(1);
        tiny.values("embeddings.word_embeddings.weight")[(TinyModel.FIRST_WORD + 7) * TinyModel.HIDDEN] = Float.NaN;
        var gate = new Gate();
        try (var broken = TextEncoder.load(tiny.write(directory.resolve("broken")), ONE_THREAD);
                var queue = EncoderQueue.of(broken, ONE_WORKER.withListener(gate))) {
            gate.hold(queue, broken.input("w1"));
            var good = queue.submit(broken.input("w1 w2"));
            var bad = queue.submit(broken.input("w7"));
            var alsoGood = queue.submit(broken.input("w3"));
            gate.letGo();
            assertArrayEquals(broken.encode("w1 w2"), good.get().vector());
            assertArrayEquals(broken.encode("w3"), alsoGood.get().vector());
            String alone = assertThrows(ArithmeticException.class, () -> broken.encode("w7")).getMessage();
            assertEquals(alone, assertThrows(CompletionException.class, bad::join).getCause().getMessage());
            assertThrows(ArithmeticException.class, () -> queue.run(broken.input("w7")));
        }
    }

    @Test
    void shouldGiveWhatEachKindOfModelGives() throws Exception {
        var scores = new TinyModel(1);
        scores.addScores();
        Path head = scores.write(directory.resolve("head"));
        try (var reranker = Reranker.load(head, ONE_THREAD);
                var classifier = TextClassifier.load(head, ONE_THREAD);
                var ranking = EncoderQueue.of(reranker, QueueOptions.defaults());
                var classifying = EncoderQueue.of(classifier, QueueOptions.defaults())) {
            List<String> documents = IntStream.range(0, 50).mapToObj(EncoderQueueTest::text).toList();
            List<Float> ranked = ranking.runAll(documents.stream().map(d -> reranker.input("w1 w2", d)).toList());
            float[] alone = reranker.score("w1 w2", documents);
            IntStream.range(0, 50).forEach(i -> assertEquals(alone[i], ranked.get(i), documents.get(i)));
            assertEquals(classifier.classifyAll(documents),
                    classifying.runAll(documents.stream().map(classifier::input).toList()));
            assertEquals(classifier.classify("w1", "w2"), classifying.run(classifier.input("w1", "w2")));
        }
        var chunks = ONE_THREAD.withLengthPolicy(LengthPolicy.CHUNK_MEAN);
        try (var other = TextEncoder.load(directory.resolve("tiny"), chunks);
                var queue = EncoderQueue.of(other, QueueOptions.defaults())) {
            String longText = "w1 w2 w3 w4 ".repeat(30);
            EncoderInput<TextEmbedding> input = other.input(longText, "w9 : ");
            TextEmbedding expected = other.embedAll(List.of(longText), "w9 : ").getFirst();
            assertEquals(expected.tokens(), input.tokens());
            assertFalse(input.truncated());
            assertArrayEquals(expected.vector(), queue.run(input).vector());
            var foreign = encoder.input("w1");
            assertEquals("expected an input of the model of this queue, tiny, got one of tiny",
                    assertThrows(IllegalArgumentException.class, () -> queue.run(foreign)).getMessage());
        }
        assertTrue(encoder.input("w1 ".repeat(30)).truncated());
    }

    @Test
    void shouldNotMindAListenerThatFailsNorAModelThatIsClosed() throws Exception {
        var queue = EncoderQueue.of(encoder, QueueOptions.defaults().withListener(_ -> {
            throw new IllegalArgumentException("injected");
        }));
        try (queue) {
            EncoderInput<TextEmbedding> input = encoder.input("w1");
            assertArrayEquals(encoder.encode("w1"), queue.run(input).vector());
            assertEquals(List.of(), queue.runAll(List.of()));
            encoder.close();
            assertThrows(IllegalStateException.class, () -> queue.run(input));
            assertThrows(IllegalStateException.class, () -> encoder.input("w1"));
        }
    }

    @Test
    void shouldGiveTheSameBitsWhereBatchesShareTheThreadsOfAnEngine() throws Exception {
        var fourThreads = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(4));
        try (var shared = TextEncoder.load(directory.resolve("tiny"), fourThreads);
                var queue = EncoderQueue.of(shared, QueueOptions.defaults().withWorkers(4).withBatchTokens(24));
                var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<TextEmbedding>> calls = IntStream.range(0, 1000)
                    .mapToObj(i -> callers.submit(() -> queue.run(shared.input(text(i))))).toList();
            for (int i = 0; i < calls.size(); i++) {
                assertArrayEquals(encoder.encode(text(i)), calls.get(i).get().vector(), text(i));
            }
        }
    }

    @Test
    void shouldTakeTheTokensOfABatchThatSuitTheBackend() {
        try (var queue = EncoderQueue.of(encoder, QueueOptions.defaults())) {
            assertEquals(128, queue.options().batchTokens());
        }
        try (var queue = EncoderQueue.of(encoder, QueueOptions.defaults().withBatchTokens(7))) {
            assertEquals(7, queue.options().batchTokens());
        }
    }

    @Test
    void shouldShortenAVectorAsAnEncoderOfFewerDimensionsDoes() throws Exception {
        TinyModel.writeSentenceFiles(directory.resolve("tiny"), "pooling_mode_mean_tokens", true, 20);
        try (var whole = TextEncoder.load(directory.resolve("tiny"), ONE_THREAD);
                var few = TextEncoder.load(directory.resolve("tiny"), ONE_THREAD.withDimensions(8))) {
            float[] vector = whole.encode("w1 w2");
            assertArrayEquals(few.encode("w1 w2"), whole.shortened(vector, 8), 1e-6f);
            assertArrayEquals(vector, whole.shortened(vector, 33));
            assertEquals("expected 1 to 33 dimensions of a vector of 33 components, got 34 of 33",
                    assertThrows(IllegalArgumentException.class, () -> whole.shortened(vector, 34)).getMessage());
        }
    }

    @Test
    void shouldNameWrongOptions() {
        QueueOptions options = QueueOptions.defaults();
        assertEquals("expected 0 to 2048 tokens of a batch, got 4096",
                assertThrows(IllegalArgumentException.class, () -> options.withBatchTokens(4096)).getMessage());
        assertEquals("expected to linger for 0 to 60 s, got PT-1S",
                assertThrows(IllegalArgumentException.class, () -> options.withLinger(Duration.ofSeconds(-1))).getMessage());
        assertEquals("expected at least 1 token that may wait, got 0",
                assertThrows(IllegalArgumentException.class, () -> options.withQueuedTokens(0)).getMessage());
        assertEquals("expected 0 to 1024 workers, got -1",
                assertThrows(IllegalArgumentException.class, () -> options.withWorkers(-1)).getMessage());
    }
}
