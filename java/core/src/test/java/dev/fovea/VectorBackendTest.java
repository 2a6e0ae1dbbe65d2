package dev.fovea;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;

/** Who does not ask for the Vector API needs no flag for it and sees nothing of it. */
class VectorBackendTest {
    private static final String[] MODULE = {"--add-modules", "jdk.incubator.vector"};

    @Test
    void shouldRefuseInOneLineWithoutTheModule() throws Exception {
        String output = run();
        String reason = "the JVM was started without --add-modules jdk.incubator.vector";
        assertTrue(output.contains("reason: " + reason + "\n"), output);
        assertTrue(output.contains("refused: the Vector API backend is not available: " + reason + "\n"), output);
        assertFalse(output.contains("WARNING"), output);
    }

    @Test
    void shouldLoadNoClassOfTheVectorApiWithoutTheModule() throws Exception {
        List<String> loaded = run("-Xlog:class+load").lines().toList();
        assertTrue(loaded.stream().anyMatch(line -> line.contains("dev.fovea.internal.java.ScalarTile ")));
        assertEquals(List.of(), loaded.stream()
                .filter(line -> line.contains(" jdk.incubator.vector.")
                        || line.contains("dev.fovea.internal.vector.VectorTile"))
                .toList());
    }

    @Test
    void shouldRunWithTheModule() throws Exception {
        String output = run(MODULE);
        assertTrue(output.contains("reason: none\n"), output);
        assertTrue(output.contains("created: vector\n"), output);
    }

    @Test
    @EnabledIfSystemProperty(named = "os.arch", matches = "amd64|x86_64")
    void shouldRefuseWhenFusedMultiplyAddMayBeMissing() throws Exception {
        String output = run(MODULE[0], MODULE[1], "-XX:UseAVX=1");
        assertTrue(output.contains("refused: the Vector API backend is not available: its vectors have 128 bits here,"
                + " and fused multiply-add may be missing\n"), output);
        assertTrue(output.contains("kernels: JAVA\n"), output);
    }

    private static String run(String... options) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1",
                "-Xmx128m", "-cp", System.getProperty("java.class.path")));
        command.addAll(List.of(options));
        command.add(AskForVector.class.getName());
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes()).replace(System.lineSeparator(), "\n");
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), output);
        return output;
    }
}
