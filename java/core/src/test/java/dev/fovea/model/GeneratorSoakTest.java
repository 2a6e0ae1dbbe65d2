package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Locale;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Eight callers of one model for a while, of random lengths, that cut answers off and close the model: nobody waits for ever
 * and the process does not grow. {@code -Dfovea.soak.seconds=1800} lets them go on for half an hour.
 */
@Tag("slow")
@EnabledOnOs(OS.LINUX)
class GeneratorSoakTest {
    private static final int SECONDS = Integer.getInteger("fovea.soak.seconds", 4);
    /** Compilers are not done within seconds. */
    private static final long MOST_KIB = SECONDS < 60 ? 48 << 10 : 16 << 10;

    @TempDir
    private Path directory;

    @Test
    void shouldAnswerAllAndStayFlat() throws Exception {
        String[] lines = run("calls").split("\n");
        System.out.println("soak of " + SECONDS + " s: " + String.join(", ", lines).toLowerCase(Locale.ROOT) + " KiB more");
        assertTrue(Long.parseLong(lines[lines.length - 1].strip()) < MOST_KIB, String.join(", ", lines));
    }

    @Test
    void shouldAnswerAfterTheStackOfACallerHasOverflowed() throws Exception {
        String output = run("stack");
        assertTrue(output.contains("the same afterwards") && !output.startsWith("0 "), output);
    }

    private String run(String what) throws Exception {
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-XX:+UseSerialGC", "-Xms96m", "-Xmx96m", "-XX:+AlwaysPreTouch",
                "-Dfovea.cache=" + System.getProperty("fovea.cache", ""), "-cp", System.getProperty("java.class.path"),
                GeneratorSoak.class.getName(), what, SchedulerTest.model("qwen3", directory).toString(),
                Integer.toString(SECONDS)).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes()).strip();
        assertEquals(0, process.waitFor(), output);
        return output;
    }
}
