package dev.fovea.bench.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Job;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** The grid. */
class AttentionSuiteTest {
    private final AttentionSuite suite = new AttentionSuite();

    @ParameterizedTest
    @EnumSource(Effort.class)
    void shouldNameJobsApart(Effort effort) {
        List<String> names = suite.jobs(effort).stream().map(Job::name).toList();
        assertEquals(names.size(), names.stream().distinct().count(), names.toString());
        names.forEach(name -> assertTrue(name.matches("[A-Za-z0-9.-]+"), name));
    }

    @ParameterizedTest
    @CsvSource({"SMOKE, 20", "QUICK, 130", "FULL, 840"})
    void shouldTakeItsTime(Effort effort, int mostSeconds) {
        int seconds = suite.jobs(effort).stream().mapToInt(Job::estimatedSeconds).sum();
        assertTrue(seconds > mostSeconds / 4 && seconds <= mostSeconds, seconds + " s");
    }

    @Test
    void shouldLeaveOutSlowSidesOnLongSequencesAlone() {
        assertEquals(AttentionSides.ALL, AttentionSides.on(new AttentionWork(256, 64, 12, false, false)));
        List<String> longest = AttentionSides.on(new AttentionWork(4096, 64, 12, false, false));
        assertEquals(List.of(AttentionSides.FUSED, AttentionSides.PYTORCH), longest);
        assertFalse(AttentionSides.on(new AttentionWork(2048, 64, 12, false, false))
                .contains(AttentionSides.SCALAR_NAIVE));
    }
}
