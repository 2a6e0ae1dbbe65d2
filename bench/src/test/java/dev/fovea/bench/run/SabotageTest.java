package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Measurement;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Falsifies the result of one side of a job of JMH. */
class SabotageTest {
    private static final Map<String, String> WORK = Map.of("n", "100");

    private static JobRecord run(String sabotaged) throws Exception {
        JobRecord record = new JobRecord("fake", "n100");
        new JmhJob("n100", HonestBenchmark.class, List.of("first", "second", "missing"), WORK,
                        JmhJob.Timing.of(Effort.SMOKE))
                .run(record.findings(sabotaged));
        return record;
    }

    private static Set<String> timed(JobRecord record) {
        return record.measurements().stream().map(Measurement::side).collect(Collectors.toSet());
    }

    @Test
    void shouldTimeWhatAgreesAndReportWhatIsAbsent() throws Exception {
        JobRecord record = run(null);
        assertEquals(Set.of("first", "second"), timed(record));
        assertEquals(List.of(), record.refusals());
        assertEquals("1.0", record.sides().get("first").version());
        assertEquals("it is missing", record.sides().get("missing").absent());
    }

    @Test
    void shouldRefuseToTimeAWrongResult() throws Exception {
        JobRecord record = run("second");
        assertEquals(Set.of("first"), timed(record));
        assertEquals(1, record.refusals().size());
        Refusal refusal = record.refusals().getFirst();
        assertEquals("second", refusal.side());
        assertEquals(WORK, refusal.work());
        assertTrue(refusal.reason().matches("element 0 is 50\\d\\d\\.\\d+, the reference says 5050\\.0, .*"),
                refusal.reason());
    }
}
