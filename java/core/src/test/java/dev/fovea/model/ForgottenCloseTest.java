package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.OperatingSystemMXBean;
import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that forgets to close everything costs nothing while it idles, and still exits. */
class ForgottenCloseTest {
    @TempDir
    private Path directory;

    /** Such a program. Arguments: backend, model directory. It prints the CPU milliseconds of an idle second. */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) throws Exception {
            var engine = EngineOptions.defaults()
                    .withBackend(Backend.valueOf(arguments[0]))
                    .withThreads(4);
            var encoder = TextEncoder.load(
                    Path.of(arguments[1]), EncoderOptions.defaults().withEngineOptions(engine));
            encoder.newSession();
            for (int i = 0; i < 100; i++) {
                encoder.encodeAll(List.of("w1", "w2 w3"));
            }
            Thread.sleep(1000);
            var cpu = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
            long before = cpu.getProcessCpuTime();
            Thread.sleep(1000);
            System.out.print(Duration.ofNanos(cpu.getProcessCpuTime() - before).toMillis());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NATIVE", "JAVA"})
    void shouldIdleWithoutCpuAndExitWhenNothingIsClosed(String backend) throws Exception {
        new TinyModel(1).write(directory);
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-Dfovea.cache=" + System.getProperty("fovea.cache", ""),
                "-classpath",
                System.getProperty("java.class.path"),
                Forgetful.class.getName(),
                backend,
                directory.toString()).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try {
            assertTrue(process.waitFor(60, TimeUnit.SECONDS), "the program does not exit");
            String output = new String(process.getInputStream().readAllBytes());
            assertEquals(0, process.exitValue(), output);
            assertTrue(Long.parseLong(output.strip()) < 200, "an idle second took " + output + " ms of CPU");
        } finally {
            process.destroyForcibly();
        }
    }
}
