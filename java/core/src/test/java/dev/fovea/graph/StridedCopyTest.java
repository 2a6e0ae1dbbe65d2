package dev.fovea.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StridedCopyTest {
    @Test
    void shouldCopyMatricesOfAnyLayoutIntoAnyOther() {
        try (Arena arena = Arena.ofConfined()) {
            var weights = new RandomWeights(arena, new Random(3));
            for (int i = 0; i < 30; i++) {
                Tensor source = weights.matrix(7, 5);
                Tensor rows = Tensor.allocate(arena, DType.F32, Shape.of(9, 5));
                Tensor columns = Tensor.allocate(arena, DType.F32, Shape.of(5, 9)).transpose(0, 1);

                StridedCopy.copy(source, rows, 2 * rows.stride(0));
                StridedCopy.copy(source, columns, 2 * columns.stride(0));

                requireRows(source, rows);
                requireRows(source, columns);
            }
        }
    }

    @Test
    void shouldCopyVectorsWithGaps() {
        try (Arena arena = Arena.ofConfined()) {
            Tensor source = Tensor.of(arena.allocate(64, 4), DType.F32, Shape.of(3), 4);
            source.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 8, 2.5f);
            Tensor target = Tensor.allocate(arena, DType.F32, Shape.of(4));

            StridedCopy.copy(source, target, 1);

            assertEquals(2.5f, target.getFloat(3));
        }
    }

    /** Rows 2 … 8 of the target hold the source, the others 0. */
    private static void requireRows(Tensor source, Tensor target) {
        for (int r = 0; r < target.size(0); r++) {
            for (int c = 0; c < target.size(1); c++) {
                assertEquals(r < 2 ? 0 : source.getFloat(r - 2, c), target.getFloat(r, c));
            }
        }
    }
}
