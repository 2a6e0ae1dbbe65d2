package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.attention.KvCache;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Mask;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What is made and closed many times leaves the resident memory of a process where it was.
 * {@code -Dfovea.soak.sessions=1000000} opens as many sessions, instead of {@value #SESSIONS}.
 */
@EnabledOnOs(OS.LINUX)
@Tag("slow")
class FlatMemoryTest {
    private static final int SESSIONS = 60_000;
    private static final int CACHES = 30_000;
    private static final long MOST_KIB = 16 << 10;

    @TempDir
    private Path directory;

    /** Arguments: what to make, how often, and a model's directory. Prints by how many KiB the process grew. */
    static final class Making {
        private Making() {}

        public static void main(String[] arguments) throws Exception {
            int times = Integer.parseInt(arguments[1]);
            long before = 0;
            try (TextEncoder encoder = TextEncoder.load(Path.of(arguments[2])); Engine engine = Engine.create()) {
                AttentionSpec spec = AttentionSpec.of(8, 64).withMask(Mask.causal());
                for (int i = 0; i < times; i++) {
                    if (arguments[0].equals("sessions")) {
                        encoder.newSession().close();
                    } else {
                        KvCache.create(engine, spec, 1, 128).close();
                    }
                    // By then the heap, which is small, is as large as it gets.
                    if (i == times / 3) {
                        before = residentKibibytes();
                    }
                }
                System.out.println(residentKibibytes() - before);
            }
        }

        private static long residentKibibytes() throws IOException {
            System.gc();
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"caches", "sessions"})
    void shouldStayFlat(String what) throws Exception {
        new TinyModel(1).write(directory);
        int times = what.equals("caches") ? CACHES : Integer.getInteger("fovea.soak.sessions", SESSIONS);
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xms64m", "-Xmx64m", "-XX:+AlwaysPreTouch",
                "-Dfovea.cache=" + System.getProperty("fovea.cache", ""), "-cp", System.getProperty("java.class.path"),
                Making.class.getName(), what, Integer.toString(times), directory.toString())
                .redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        System.out.println(times + " " + what + " grew the process by " + output + " KiB");
        assertTrue(Long.parseLong(output) < MOST_KIB, times + " " + what + " grew the process by " + output + " KiB");
    }
}
