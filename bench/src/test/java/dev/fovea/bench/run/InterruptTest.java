package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Interrupts a run in a process of its own, as Ctrl-C does. */
@DisabledOnOs(OS.WINDOWS)
class InterruptTest {
    private static final int SECONDS = 60;
    private static final int SIGINT = 2;

    @TempDir
    private Path out;

    /** Runs the command on a suite whose second job, on request, starts a process and waits for it for ever. */
    static final class Forever {
        public static void main(String[] args) {
            FakeSuite suite = new FakeSuite("first", n -> {
                if (n == 64 && args.length > 1) {
                    Process sleep = new ProcessBuilder("sleep", "1000").start();
                    Files.writeString(Path.of(args[0], "child"), sleep.pid() + "\n");
                    sleep.waitFor();
                }
            });
            System.exit(BenchCommand.run(List.of(suite), System.out, System.err, "--quick", "--out", args[0]));
        }
    }

    @Test
    void shouldKeepWhatFinishedAndLeaveNoProcessBehind() throws IOException, InterruptedException {
        assumeFalse(ignoresInterrupts(), "SIGINT is ignored here, as in the background of a shell script");
        Path err = out.resolve("err");
        Process run = start(err, "wait");
        try {
            Path child = out.resolve("child");
            for (int i = 0; i < SECONDS * 20 && !(Files.exists(child) && Files.size(child) > 0); i++) {
                Thread.sleep(50);
            }
            long pid = Long.parseLong(Files.readString(child).strip());
            new ProcessBuilder("kill", "-INT", "" + run.pid()).start().waitFor();
            assertTrue(run.waitFor(SECONDS, TimeUnit.SECONDS), "the run does not end");
            assertEquals(130, run.exitValue());
            String said = Files.readString(err);
            assertTrue(said.endsWith("fovea: interrupted; 1 of 2 jobs are kept; "
                    + "run the same command to continue\n"), said);
            assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false), "the child lives on");
        } finally {
            run.destroyForcibly();
        }
        Process again = start(err);
        assertTrue(again.waitFor(SECONDS, TimeUnit.SECONDS), "the second run does not end");
        assertEquals(0, again.exitValue());
        String said = Files.readString(err);
        assertTrue(said.startsWith("fovea: 1 job to run, 1 already finished"), said);
        assertTrue(said.contains("fovea: 2 of 2, about 2 s left: first n64\n"), said);
    }

    /** Whether processes started here never see the signal: a JVM leaves it so. Known on Linux only. */
    private static boolean ignoresInterrupts() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return false;
        }
        try (Stream<String> lines = Files.lines(status)) {
            return lines.filter(line -> line.startsWith("SigIgn:"))
                    .anyMatch(line -> (Long.parseUnsignedLong(line.substring(7).strip(), 16) & 1 << SIGINT - 1) != 0);
        }
    }

    private Process start(Path err, String... wait) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Djmh.ignoreLock=true", "-cp",
                System.getProperty("java.class.path"), Forever.class.getName(), out.toString()));
        command.addAll(List.of(wait));
        return new ProcessBuilder(command)
                .redirectError(err.toFile())
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
    }
}
