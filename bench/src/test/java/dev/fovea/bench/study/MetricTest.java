package dev.fovea.bench.study;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class MetricTest {
    @Test
    void shouldTakeTheMiddle() {
        Metric time = new Metric("time", "time per call", "µs", true);
        assertEquals(2, time.figure(List.of(3.0, 1.0, 2.0)));
        assertEquals(2.5, time.figure(List.of(4.0, 1.0, 2.0, 3.0)));
    }

    @Test
    void shouldTakeTheBest() {
        List<Double> samples = List.of(3.0, 1.0, 2.0);
        assertEquals(3, new Metric("peak", "fraction", "of 1", false, Metric.Summary.BEST).figure(samples));
        assertEquals(1, new Metric("time", "time per call", "µs", true, Metric.Summary.BEST).figure(samples));
    }
}
