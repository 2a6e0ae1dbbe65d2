package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The options that {@code ./fovea} gives to the JVM. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("../../fovea");

    /** Composes the command as the script does, without class path and class, and asks the JVM what it makes of it. */
    private static final String SCRIPT = """
            set -eu
            eval "$(sed -n '/^chooses_collector() {/,/^}/p; /^compose() {/,/^}/p' "$0")"
            java_home=$1
            jar=none
            compose -Xlog:disable
            "${command[@]:0:${#command[@]}-3}" -XX:+PrintFlagsFinal -version 2>/dev/null |
              sed -n 's/^ *bool *\\(Use[A-Z][a-z1]*GC\\) *= true .*/\\1/p'
            """;

    @ParameterizedTest
    @CsvSource({
        "FOVEA_JAVA_OPTIONS, '',                   UseSerialGC",
        "FOVEA_JAVA_OPTIONS, -Dfovea.cache=x,      UseSerialGC",
        "FOVEA_JAVA_OPTIONS, -XX:+UseParallelGC,   UseParallelGC",
        "FOVEA_JAVA_OPTIONS, -Xmx1g -XX:+UseZGC,   UseZGC",
        "JDK_JAVA_OPTIONS,   -XX:+UseParallelGC,   UseParallelGC",
        "JAVA_TOOL_OPTIONS,  -XX:+UseParallelGC,   UseParallelGC",
        "FOVEA_JAVA_OPTIONS, @OPTIONS,             UseParallelGC",
    })
    void shouldLeaveTheCollectorToTheUser(String variable, String options, String collector) throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
        Path file = Files.writeString(Files.createTempFile("options", ""), "-XX:+UseParallelGC\n");
        try {
            ProcessBuilder builder = new ProcessBuilder("/bin/bash", "-c", SCRIPT, LAUNCHER.toString(),
                    System.getProperty("java.home"));
            builder.environment().keySet().removeAll(List.of("FOVEA_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "JAVA_TOOL_OPTIONS"));
            builder.environment().putAll(Map.of(variable, options.replace("@OPTIONS", "@" + file)));
            Process process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
            assertEquals(collector, new String(process.getInputStream().readAllBytes()).strip());
            process.waitFor(60, TimeUnit.SECONDS);
        } finally {
            Files.delete(file);
        }
    }
}
