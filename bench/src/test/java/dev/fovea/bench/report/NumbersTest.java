package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class NumbersTest {
    @Test
    void shouldKeepThreeDigits() {
        assertEquals("0", Numbers.format(0));
        assertEquals("0.00123", Numbers.format(0.0012345));
        assertEquals("1.00", Numbers.format(0.9999));
        assertEquals("12.3", Numbers.format(12.345));
        assertEquals("100", Numbers.format(99.96));
        assertEquals("1\u202f234\u202f568", Numbers.format(1_234_567.8));
        assertEquals("NaN", Numbers.format(Double.NaN));
    }

    @Test
    void shouldLeaveZerosOutOfMarks() {
        assertEquals("1", Numbers.mark(1));
        assertEquals("0.5", Numbers.mark(0.5));
        assertEquals("10", Numbers.mark(10));
        assertEquals("100", Numbers.mark(100));
    }

    @Test
    void shouldMarkAxesAtRoundFigures() {
        assertEquals(List.of(0.0, 0.5, 1.0), Axis.linear(1.2, 3).breaks());
        assertEquals(List.of(0.0, 2000.0, 4000.0), Axis.linear(4096, 4).breaks());
        assertEquals(List.of(1.0, 10.0, 100.0, 1000.0), Axis.decades(2, 900).breaks());
        assertEquals(List.of(16.0, 64.0, 256.0), Axis.of(List.of(16.0, 33.0, 64.0, 128.0, 256.0), 3).breaks());
    }
}
