package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.bench.gpu.GpuSuite;
import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Measurement;
import dev.fovea.bench.study.Suite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The suite on the double of the driver that the C core's build has, and without a driver. */
class GpuSuiteTest {
    private static final String DRIVER = "fovea.cuda.driver";
    private static final String LIBRARY = "fovea.cuda.path";
    private static final Path BUILD = Path.of("..", "native", "target", "cmake");

    @TempDir
    private Path out;

    @AfterEach
    void forget() {
        System.clearProperty(DRIVER);
        System.clearProperty(LIBRARY);
    }

    @Test
    void shouldTimeWhatAgreesOnAnEmulatedGpu() throws IOException {
        useEmulation();
        for (JobRecord record : run()) {
            assertEquals(List.of(), record.refusals(), record.job());
            assertEquals(record.sides().keySet(), timed(record), record.job());
            assertTrue(record.sides().containsKey("Fovea CUDA bf16"), record.job());
        }
    }

    @Test
    void shouldSayWhyThereIsNoGpu() throws IOException {
        System.setProperty(DRIVER, "/absent/libcuda.so.1");
        for (JobRecord record : run()) {
            assertEquals(Set.of(), timed(record), record.job());
            assertFalse(record.sides().isEmpty(), record.job());
            record.sides().forEach((name, side) -> assertEquals(1, side.absent().lines().count(), name));
        }
    }

    private List<JobRecord> run() throws IOException {
        List<Suite> suites = List.of(new GpuSuite());
        BenchRun run = BenchRun.of(suites, "--smoke", "--out", out.toString());
        assertEquals(0, run.status(), () -> run.err());
        RawResults results = RawResults.open(out, Circumstances.here(Effort.SMOKE));
        List<JobRecord> records = new Schedule(suites, Effort.SMOKE, results, "").records().get(suites.getFirst());
        assertEquals(2, records.size());
        return records;
    }

    private static Set<String> timed(JobRecord record) {
        return record.measurements().stream().map(Measurement::side).collect(Collectors.toSet());
    }

    private static void useEmulation() throws IOException {
        assumeTrue(Files.isDirectory(BUILD), "the C core is not built here");
        try (var files = Files.walk(BUILD, 6)) {
            Path driver = files.filter(file -> file.endsWith("libcuda_emulated.so")).findFirst().orElse(null);
            assumeTrue(driver != null, "this build of the C core has no emulation");
            System.setProperty(DRIVER, driver.toAbsolutePath().toString());
            System.setProperty(LIBRARY, driver.toAbsolutePath().getParent().toString());
        }
    }
}
