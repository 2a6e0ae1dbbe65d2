package dev.fovea.bench.attention;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.abort;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every side of the suite computes the formula. */
class AttentionSidesTest {
    private static final float TOLERANCE = 2e-6f;

    static Stream<Arguments> sidesOnWorks() {
        List<AttentionWork> works = List.of(
                new AttentionWork(1, 32, 1, false, false),
                new AttentionWork(16, 64, 2, false, false),
                new AttentionWork(33, 32, 1, true, false),
                new AttentionWork(127, 64, 3, false, true),
                new AttentionWork(130, 32, 2, true, true),
                new AttentionWork(300, 128, 2, false, false),
                new AttentionWork(301, 64, 3, true, false));
        List<Arguments> all = new ArrayList<>();
        for (String side : AttentionSides.ALL) {
            works.forEach(work -> all.add(Arguments.of(side, work)));
        }
        return all.stream();
    }

    @ParameterizedTest
    @MethodSource("sidesOnWorks")
    void shouldComputeTheFormula(String name, AttentionWork work) {
        AttentionInputs inputs = AttentionInputs.random(work.elements());
        try (AttentionSide side = AttentionSides.open(name, work, inputs)) {
            side.attend();
            // A second call must not find what the first left behind.
            side.attend();
            assertArrayEquals(AttentionReferenceTest.expected(work, inputs), side.result(), TOLERANCE);
            assertTrue(side.scratchBytes() > 0 || name.equals(AttentionSides.PYTORCH), "scratch");
        } catch (LinkageError e) {
            if (name.equals(AttentionSides.PYTORCH)) {
                abort("PyTorch's libraries are not on the class path: " + e);
            }
            throw e;
        }
    }
}
