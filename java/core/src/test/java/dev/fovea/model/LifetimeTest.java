package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Encoders come and go without leaving memory behind, and without taking it away from under a call. */
@Tag("slow")
class LifetimeTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    @Test
    void shouldLetCallsFinishWhenClosedMeanwhile() throws Exception {
        new TinyModel(1).write(directory);
        List<String> texts = List.of(TinyModel.text(new int[18]), "w1", "w2 w3");
        for (int round = 0; round < 30; round++) {
            TextEncoder encoder = TextEncoder.load(directory);
            float[][] expected = encoder.encodeAll(texts);
            try (var executor = Executors.newFixedThreadPool(4)) {
                List<Future<?>> callers = new ArrayList<>();
                CountDownLatch encoded = new CountDownLatch(4);
                for (int i = 0; i < 4; i++) {
                    callers.add(executor.submit(() -> encodeUntilClosed(encoder, texts, expected, encoded)));
                }
                encoded.await();
                encoder.close();
                for (Future<?> caller : callers) {
                    caller.get();
                }
            }
        }
    }

    private static void encodeUntilClosed(TextEncoder encoder, List<String> texts, float[][] expected,
            CountDownLatch encoded) {
        try {
            while (true) {
                try {
                    assertArrayEquals(expected, encoder.encodeAll(texts));
                } finally {
                    encoded.countDown();
                }
            }
        } catch (IllegalStateException e) {
            assertTrue(e.getMessage().contains("closed"), e.getMessage());
        }
    }

    @Test
    void shouldLeaveTheCallersEngineOpen() throws Exception {
        new TinyModel(1).write(directory);
        try (Engine engine = Engine.create()) {
            var options = EncoderOptions.defaults().withEngine(engine);
            float[] first;
            try (var encoder = TextEncoder.load(directory, options)) {
                first = encoder.encode("w1");
            }
            try (var encoder = TextEncoder.load(directory, options)) {
                assertArrayEquals(first, encoder.encode("w1"));
            }
        }
    }

    /** Kept open, 200 small encoders hold 130 MB, 30 real ones 2.8 GB: a fifth of the one, 1 % of the other shows. */
    @ParameterizedTest
    @CsvSource({"tiny, 200", "all-minilm-l6-v2, 30"})
    @EnabledOnOs(OS.LINUX)
    void shouldLeaveResidentMemoryWhereItWas(String model, int encoders) throws Exception {
        String nameOrDirectory = model.equals("tiny") ? new TinyModel(1).write(directory).toString() : model;
        for (int i = 0; i < encoders / 2; i++) {
            loadAndClose(nameOrDirectory);
        }
        long before = residentBytes();
        for (int i = 0; i < encoders; i++) {
            loadAndClose(nameOrDirectory);
        }
        long grown = residentBytes() - before;
        assertTrue(grown < 24 * MIB, encoders + " encoders left " + grown / 1024 + " KiB");
    }

    private static void loadAndClose(String nameOrDirectory) throws IOException {
        try (var encoder = TextEncoder.load(nameOrDirectory);
                var session = encoder.newSession()) {
            encoder.encodeAll(List.of("How do I reset my password?", "I forgot my login"));
            session.encode(
                    MemorySegment.ofArray(new int[] {2, 5, 3}),
                    MemorySegment.ofArray(new int[] {0, 3}),
                    MemorySegment.ofArray(new float[encoder.dimension()]));
        }
    }

    /** The least seen for a second after a collection: the collector gives memory back in the background. */
    private static long residentBytes() throws IOException, InterruptedException {
        System.gc();
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 20; i++) {
            Thread.sleep(50);
            try (var lines = Files.lines(Path.of("/proc/self/status"))) {
                String line = lines.filter(each -> each.startsWith("VmRSS:")).findFirst().orElseThrow();
                least = Math.min(least, Long.parseLong(line.replaceAll("\\D", "")) * 1024);
            }
        }
        return least;
    }
}
