package dev.fovea.bench.load;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ArrivalsTest {
    @Test
    void shouldArriveAtTheGivenRate() {
        long[] arrivals = Arrivals.poisson(200, 20_000, 1);

        assertEquals(100, arrivals[arrivals.length - 1] * 1e-9, 3);
    }

    @Test
    void shouldSpreadAsAPoissonProcessDoes() {
        long[] arrivals = Arrivals.poisson(1000, 20_000, 2);
        double[] gaps = IntStream.range(1, arrivals.length)
                .mapToDouble(i -> (arrivals[i] - arrivals[i - 1]) * 1e-6)
                .toArray();

        assertTrue(Arrays.stream(gaps).min().orElseThrow() >= 0);
        // Of exponential gaps with a mean of 1 ms, e⁻¹ are longer than it.
        assertEquals(Math.exp(-1), Arrays.stream(gaps).filter(gap -> gap > 1).count() / (double) gaps.length, 0.02);
    }

    @Test
    void shouldGiveBothSidesTheSameInstants() {
        assertArrayEquals(Arrivals.poisson(50, 100, 7), Arrivals.poisson(50, 100, 7));
    }

    @Test
    void shouldRefuseARateOfZero() {
        var e = assertThrows(IllegalArgumentException.class, () -> Arrivals.poisson(0, 1, 1));
        assertEquals("rate must be positive, got 0.0", e.getMessage());
    }
}
