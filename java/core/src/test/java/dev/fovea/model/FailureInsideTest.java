package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import dev.fovea.FaultyEngine;
import dev.fovea.KernelException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever fails inside a call, wherever, the encoder gives the same vectors afterwards. */
class FailureInsideTest {
    private static final List<String> TEXTS = List.of("w1 w2 w3", "w4", "w5 w6");

    /** Made anew for each failure, as a JVM does. */
    private static final List<Supplier<Throwable>> FAILURES = List.of(
            () -> new StackOverflowError("injected"),
            () -> new OutOfMemoryError("injected"),
            () -> new KernelException("injected", 5, "out of memory"),
            () -> new IllegalStateException("injected"));

    @TempDir
    private Path directory;

    @ParameterizedTest
    @EnumSource(names = {"NATIVE", "JAVA"})
    void shouldStayUsableAfterAFailureInEachDowncallAndAllocation(Backend backend) throws IOException {
        new TinyModel(1).write(directory);
        try (FaultyEngine engine = FaultyEngine.create(EngineOptions.defaults().withBackend(backend).withThreads(1));
                TextEncoder encoder = TextEncoder.load(directory, EncoderOptions.defaults().withEngine(engine))) {
            float[][] expected = encoder.encodeAll(TEXTS);
            // A longer batch than any before, so that a session grows.
            List<String> more = new ArrayList<>();
            for (Supplier<Throwable> failure : FAILURES) {
                for (int after = 0; failsAfter(after, failure, engine, encoder, more); after++) {
                    assertArrayEquals(expected, encoder.encodeAll(TEXTS), failure.get() + " after " + after);
                    more.add("w7 w8 w9 w10 w11 w12 w13 w14");
                    more.add("w7 w8 w9 w10 w11 w12 w13 w14");
                }
            }
        }
    }

    /** Whether the call that {@code after} others precede was made, and so failed. */
    private static boolean failsAfter(int after, Supplier<Throwable> failure, FaultyEngine engine, TextEncoder encoder,
            List<String> more) {
        List<String> texts = new ArrayList<>(TEXTS);
        texts.addAll(more);
        Throwable injected = failure.get();
        engine.failAfter(after, () -> injected);
        try {
            encoder.encodeAll(texts);
            assertTrue(engine.recover() <= after);
            assertTrue(after > 5, "expected a model of more than " + after + " calls");
            return false;
        } catch (RuntimeException | Error e) {
            engine.recover();
            assertSame(injected, e);
            return true;
        }
    }

    @Test
    void shouldKeepASessionOfTheCallersUsableAfterEachFailure() throws IOException {
        new TinyModel(1).write(directory);
        try (FaultyEngine engine = FaultyEngine.create(EngineOptions.defaults().withThreads(1));
                TextEncoder encoder = TextEncoder.load(directory, EncoderOptions.defaults().withEngine(engine));
                EncoderSession session = encoder.newSession();
                SessionRun run = new SessionRun(session, encoder.dimension())) {
            float[] expected = run.encode();
            for (Supplier<Throwable> failure : FAILURES) {
                for (int after = 0; after < 6; after++) {
                    engine.failAfter(after, failure);
                    assertThrows(Throwable.class, run::encode);
                    engine.recover();
                    assertArrayEquals(expected, run.encode());
                }
            }
        }
    }

    @Test
    void shouldNotMindAnInterrupt() throws IOException {
        new TinyModel(1).write(directory);
        Thread.currentThread().interrupt();
        try (TextEncoder encoder = TextEncoder.load(directory)) {
            float[][] interrupted = encoder.encodeAll(TEXTS);
            assertTrue(Thread.interrupted(), "the interrupt is the caller's");
            assertArrayEquals(encoder.encodeAll(TEXTS), interrupted);
        } finally {
            Thread.interrupted();
        }
    }

    /** In a process of its own: a stack that overflows in what initialises a class of the JDK spoils that class. */
    @ParameterizedTest
    @ValueSource(strings = {"stack", "heap"})
    @Tag("slow")
    void shouldStayUsableWhereverStackOrHeapEnds(String what) throws Exception {
        new TinyModel(1).write(directory);
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx32m", "-XX:TieredStopAtLevel=1",
                "-Dfovea.cache=" + System.getProperty("fovea.cache", ""), "-cp", System.getProperty("java.class.path"),
                ExhaustingCalls.class.getName(), what, directory.toString()).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        assertTrue(output.matches("failed [1-9]\\d* times, the same afterwards"), output);
    }
}
