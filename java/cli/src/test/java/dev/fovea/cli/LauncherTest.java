package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The options that {@code ./fovea} gives to the JVM, and the cache that it makes for it. */
class LauncherTest {
    private static final Path LAUNCHER = Path.of("../../fovea");

    /** Composes the command as the script does, without class path and class, and asks the JVM what it makes of it. */
    private static final String SCRIPT = """
            set -eu
            eval "$(sed -n '/^chooses_collector() {/,/^}/p; /^compose() {/,/^}/p' "$0")"
            java_home=$1
            jar=none
            subcommand=similar
            compose -Xlog:disable
            "${command[@]:0:${#command[@]}-3}" -XX:+PrintFlagsFinal -version 2>/dev/null |
              sed -n 's/^ *bool *\\(Use[A-Z][a-z1]*GC\\) *= true .*/\\1/p'
            """;

    /** Makes a cache as the script does, by a JVM that writes its arguments into it, or fails. */
    private static final String AOT_SCRIPT = """
            set -euo pipefail
            eval "$(sed -n '/^fail() {/,/^}/p; /^record() {/,/^}/p; /^make_cache() {/,/^}/p' "$0")"
            target=$1
            aot=$target/fovea.aot
            java_home=none
            java() {
              local out=${1#-XX:AOTCacheOutput=}
              [ "$2" != fails ] || return 3
              [ "$2" = nothing ] || echo "${@:2}" >"$out"
            }
            compose() {
              command=(java "$1")
            }
            make_cache "${@:2}"
            """;

    @ParameterizedTest
    @CsvSource({
        "'',         0, similar fovea fovea, made ",
        "embed hello, 0, embed hello,        made ",
        "fails,      1, before,              'no AOT cache was made, since ''fovea fails'' failed'",
        "nothing,    1, before,              this JVM made no AOT cache",
    })
    void shouldMakeTheCacheOfOneRunOrKeepTheOneThatThereIs(String arguments, int status, String cache, String message)
            throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "no bash here");
        Path target = Files.createTempDirectory("target");
        Path aot = Files.writeString(target.resolve("fovea.aot"), "before\n");
        try {
            List<String> command = new ArrayList<>(List.of("/bin/bash", "-c", AOT_SCRIPT, LAUNCHER.toString(), target.toString()));
            command.addAll(arguments.isEmpty() ? List.of() : List.of(arguments.split(" ")));
            Process process = new ProcessBuilder(command).start();
            String said = new String(process.getErrorStream().readAllBytes());
            assertEquals(status, process.waitFor(), said);
            assertTrue(said.startsWith("fovea: ") && said.contains(message), said);
            assertEquals("", new String(process.getInputStream().readAllBytes()));
            assertEquals(cache + "\n", Files.readString(aot));
            assertArrayEquals(new String[] {"fovea.aot"}, target.toFile().list());
        } finally {
            Files.delete(aot);
            Files.delete(target);
        }
    }

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
