package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BenchCommandTest {
    @TempDir
    private Path out;

    private final FakeSuite first = new FakeSuite("first", _ -> {});
    private final FakeSuite second = new FakeSuite("second", _ -> {});

    private BenchRun run(String... args) {
        return BenchRun.of(List.of(first, second), args);
    }

    @Test
    void shouldRunAllSuitesInTheirOrder() throws IOException {
        BenchRun run = run("--quick", "--out", out.toString());
        assertEquals(0, run.status(), run.err());
        assertEquals(out.resolve("report.html") + "\n", run.out());
        assertTrue(run.err().startsWith("fovea: 4 jobs; this takes about 8 s; results in " + out + "\n"), run.err());
        assertTrue(run.err().contains("fovea: 1 of 4, about 8 s left: first n16\n"), run.err());
        assertTrue(run.err().matches("(?s).*\\nfovea: 4 of 4, about [12] s left: second n64\n"), run.err());
        assertTrue(Files.readString(out.resolve("report.html")).contains("./fovea bench --quick --out " + out));
        assertTrue(Files.readString(out.resolve("raw/run.json")).contains("\"effort\": \"QUICK\""));
        for (String file : List.of("report.md", "first-1.svg", "second-4.svg", "raw/first/n16.json")) {
            assertTrue(Files.size(out.resolve(file)) > 100, file);
        }
    }

    @Test
    void shouldRunNamedSuitesAndReportThoseOfBeforeToo() throws IOException {
        assertEquals(0, run("second", "--quick", "--out", out.toString()).status());
        assertEquals(List.of(), first.ran());
        assertFalse(Files.readString(out.resolve("report.html")).contains("id=\"first\""));

        assertEquals(0, run("first", "--quick", "--out", out.toString()).status());
        assertEquals(List.of("n16", "n64"), second.ran());
        String page = Files.readString(out.resolve("report.html"));
        assertTrue(page.indexOf("id=\"first\"") < page.indexOf("id=\"second\"") && page.contains("id=\"first\""));
    }

    @Test
    void shouldRunTheJobsThatAreAskedFor() throws IOException {
        assertEquals(0, run("first", "--quick", "--only", "64", "--out", out.toString()).status());
        assertEquals(List.of("n64"), first.ran());
        assertTrue(Files.readString(out.resolve("report.html")).contains("./fovea bench first --quick --only 64 --out " + out));
        assertEquals("fovea: no job's name contains '65'; there are n16, n64 (see 'fovea bench --help')\n",
                run("first", "--quick", "--only", "65", "--out", out.toString()).err());
    }

    @Test
    void shouldMarkTheBestOfTheContenders() throws IOException {
        run("first", "--quick", "--out", out.toString());
        String report = Files.readString(out.resolve("report.md"));
        String throughput = report.substring(report.indexOf("### Throughput"));
        assertTrue(throughput.matches("(?s).*\n\\| 16 \\| 1 \\| [^*|]+ \\| \\*\\*[^*|]+\\*\\* \\| .*"), throughput);
    }

    @Test
    void shouldRefuseWrongUseInOneLine() {
        assertEquals(new BenchRun(2, "", "fovea: no such suite: third; the suites are first, second"
                + " (see 'fovea bench --help')\n"), run("third"));
        assertEquals(new BenchRun(2, "", "fovea: unknown option: '--fast' (see 'fovea bench --help')\n"),
                run("--fast"));
    }

    @Test
    void shouldSayWhatThereIs() {
        BenchRun run = run("--help");
        assertEquals(0, run.status());
        assertTrue(run.out().contains("--quick") && run.out().contains("  first       What a <fake>"), run.out());
        assertFalse(run.out().contains("--smoke"), run.out());
    }

    @Test
    void shouldRefuseADirectoryWhichIsAFile() throws IOException {
        Path file = Files.createFile(out.resolve("file"));
        BenchRun run = run("--out", file.toString());
        assertEquals(1, run.status());
        assertTrue(run.err().startsWith("fovea: ") && run.err().lines().count() == 1, run.err());
        assertTrue(run.err().contains(file.toString()), run.err());
    }

    @Test
    void shouldNotRunBesideAnotherBenchmark() throws IOException {
        String temporary = System.getProperty("java.io.tmpdir");
        System.setProperty("java.io.tmpdir", out.toString());
        System.clearProperty("jmh.ignoreLock");
        Path lock = out.resolve("jmh.lock");
        try {
            assertEquals(0, run("first", "--quick", "--out", out.toString()).status());
            assertTrue(Files.exists(lock));
            Process other = LockHolder.start(lock);
            try {
                BenchRun run = run("second", "--quick", "--out", out.toString());
                assertEquals(1, run.status());
                assertEquals("fovea: another benchmark is running on this machine (it holds " + lock
                        + "), and each would distort the other's times; try again when it has ended",
                        run.err().lines().skip(1).findFirst().orElse(""));
            } finally {
                other.destroyForcibly();
            }
        } finally {
            System.setProperty("java.io.tmpdir", temporary);
            System.setProperty("jmh.ignoreLock", "true");
        }
    }

    /** Holds a lock in a process of its own until it is destroyed. */
    static final class LockHolder {
        public static void main(String[] args) throws Exception {
            try (FileChannel file = FileChannel.open(Path.of(args[0]), StandardOpenOption.WRITE);
                    FileLock _ = file.lock()) {
                System.out.println("locked");
                Thread.sleep(Long.MAX_VALUE);
            }
        }

        static Process start(Path lock) throws IOException {
            Process process = new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
                            System.getProperty("java.class.path"), LockHolder.class.getName(), lock.toString())
                    .start();
            assertEquals("locked", process.inputReader().readLine());
            return process;
        }
    }

    @Test
    void shouldRefuseResultsOfAnotherEffort() {
        assertEquals(0, run("--quick", "--out", out.toString()).status());
        BenchRun run = run("--out", out.toString());
        assertEquals(2, run.status());
        assertEquals("fovea: " + out + " holds results of a different run (effort QUICK, not FULL); "
                + "choose another directory with --out\n", run.err());
    }

    @Test
    void shouldRefuseResultsOfAnotherMachineOrBuild() throws IOException {
        assertEquals(0, run("--quick", "--out", out.toString()).status());
        Path json = out.resolve("raw/run.json");
        String here = Files.readString(json);
        for (String field : List.of("build", "cpu", "jdk", "os")) {
            Files.writeString(json, here.replaceFirst("\"" + field + "\": \"[^\"]*\"", "\"" + field + "\": \"other\""));
            BenchRun run = run("--quick", "--out", out.toString());
            assertEquals(2, run.status(), field);
            assertTrue(run.err().contains(" other, not "), run.err());
        }
    }

    @Test
    void shouldKeepWhatFinishedAndGoOnFromThere() throws IOException {
        FakeSuite failing = new FakeSuite("first", n -> {
            if (n == 64) {
                throw new IOException("no \u001b[1mmore\nsecond line");
            }
        });
        BenchRun run = BenchRun.of(List.of(failing, second), "--quick", "--out", out.toString());
        assertEquals(1, run.status());
        assertTrue(run.err().contains("fovea: first n64 failed: no "), run.err());
        assertTrue(Files.readString(out.resolve("report.html")).contains("These jobs failed"));
        assertTrue(Files.readString(out.resolve("bench.log")).contains("second line"));

        run = run("--quick", "--out", out.toString());
        assertEquals(0, run.status(), run.err());
        assertEquals(List.of("n64"), first.ran());
        assertEquals(List.of("n16", "n64"), second.ran());
        assertTrue(run.err().startsWith("fovea: 1 job to run, 3 already finished; this takes about 2 s"), run.err());
        assertFalse(Files.readString(out.resolve("report.html")).contains("These jobs failed"));
    }

    @Test
    void shouldNameAFileThatIsNoResult() throws IOException {
        assertEquals(0, run("--quick", "--out", out.toString()).status());
        Path json = out.resolve("raw/first/n16.json");
        for (String content : List.of("", "{\"suite\": ", "[1]")) {
            Files.writeString(json, content);
            BenchRun run = run("--quick", "--out", out.toString());
            assertEquals(1, run.status());
            assertTrue(run.err().contains(json + " is ") && run.err().contains("delete it"), run.err());
        }
    }

    @Test
    void shouldReportAbsentAndRefusedSides() throws IOException {
        System.setProperty("fovea.bench.sabotaged", "C naive");
        try {
            BenchRun run = run("first", "--quick", "--out", out.toString());
            assertEquals(0, run.status(), run.err());
            assertTrue(run.err().contains("first n16: C naive gave a wrong result and was not timed"), run.err());
        } finally {
            System.clearProperty("fovea.bench.sabotaged");
        }
        String page = Files.readString(out.resolve("report.html"));
        assertTrue(page.contains("<b>ONNX Runtime int8</b> is absent: its jar is not on the class path"));
        assertTrue(page.contains("<b>C naive</b> gave wrong results and was not timed: for n 16, threads 1, "));
        String json = Files.readString(out.resolve("raw/first/n16.json"));
        assertTrue(json.contains("\"absent\": \"its jar is not on the class path\""));
        JobRecord record = new Gson().fromJson(json, JobRecord.class);
        assertTrue(record.measurements().stream().noneMatch(measurement -> measurement.side().equals("C naive")));
    }
}
