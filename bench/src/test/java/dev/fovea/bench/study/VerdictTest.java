package dev.fovea.bench.study;

import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class VerdictTest {
    @Test
    void shouldCompareVectorsByDirection() {
        float[] reference = {1, 0, 0, 2};
        Verdict.agreeByCosine(reference, new float[] {3, 0.01f, 0, 1}, 2, 0.9999);

        assertThrows(Verdict.NotTimed.class,
                () -> Verdict.agreeByCosine(reference, new float[] {1, 0, 0.1f, 1}, 2, 0.9999));
        assertThrows(Verdict.NotTimed.class, () -> Verdict.agreeByCosine(reference, new float[] {1, 0}, 2, 0.9999));
        assertThrows(Verdict.NotTimed.class,
                () -> Verdict.agreeByCosine(reference, new float[] {1, 0, Float.NaN, 1}, 2, 0.9999));
    }
}
