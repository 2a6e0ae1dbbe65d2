package dev.fovea.internal.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Processes that are killed while they fill the cache: whoever comes next finds it right or puts it right, and a day
 * later nothing of them is there. {@code -Dfovea.soak.kills=100} kills as many, instead of {@value #KILLS}.
 */
@Tag("slow")
class KilledProcessTest {
    private static final int KILLS = 4;

    @TempDir
    private Path cache;

    @Test
    void shouldStartRightAfterEachKillAndLeaveNothingADayLater() throws Exception {
        String expected = outputOf(start());
        assertTrue(expected.matches("\\w+ -?\\d+"), expected);
        int kills = Integer.getInteger("fovea.soak.kills", KILLS);
        Random random = new Random(17);
        long milliseconds = 0;
        int partials = 0;
        for (int i = 0; i < kills; i++) {
            remove("models");
            remove("native");
            // From the start of the JVM until after what the last one took.
            Process process = start();
            process.waitFor(200 + random.nextLong(Math.max(1000, milliseconds)), TimeUnit.MILLISECONDS);
            process.destroyForcibly().waitFor();
            partials = Math.max(partials, partials().size());
            long begin = System.nanoTime();
            assertEquals(expected, outputOf(start()), "after kill " + i);
            milliseconds = (System.nanoTime() - begin) / 1_000_000;
        }
        System.out.println(kills + " kills left up to " + partials + " partial files and directories at once");
        CacheDirectory later = CacheDirectory.at(cache, InstantSource.fixed(Instant.now().plus(Duration.ofHours(25))));
        later.privateDirectory("native/any");
        later.publish("models/any", _ -> { });
        assertEquals(List.of(), partials());
    }

    /** What a process of before has put into its place; what another has left half done stays. */
    private void remove(String part) throws IOException {
        try (var directories = Files.newDirectoryStream(cache.resolve(part))) {
            for (Path directory : directories) {
                if (!directory.getFileName().toString().startsWith(".partial-")) {
                    removeContent(directory);
                }
            }
        }
    }

    private static void removeContent(Path directory) throws IOException {
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (!entry.getFileName().toString().startsWith(".partial-")) {
                    Partials.delete(entry);
                }
            }
        }
    }

    private List<Path> partials() throws IOException {
        try (var files = Files.walk(cache)) {
            return files.filter(file -> file.getFileName().toString().startsWith(".partial-")).toList();
        }
    }

    private Process start() throws IOException {
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xmx256m", "-XX:TieredStopAtLevel=1",
                "-Dfovea.cache=" + cache, "-cp", System.getProperty("java.class.path"), "dev.fovea.model.ContainerProbe")
                .redirectErrorStream(true).start();
    }

    private static String outputOf(Process process) throws Exception {
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return output;
    }
}
