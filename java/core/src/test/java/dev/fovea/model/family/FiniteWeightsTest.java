package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Numbers that are not finite are found in each way in which weights are stored. */
class FiniteWeightsTest {
    private static final int ROWS = 3;

    /** The upper bits of a number: the largest that is finite, and some that are not. */
    private static final List<Integer> HALVES = List.of(0x7bff, 0x7c00, 0x7c01, 0xfc00, 0xffff);
    private static final List<Integer> BRAINS = List.of(0x7f7f, 0x7f80, 0x7f81, 0xff80, 0xffff);

    private static MemorySegment bytes(long size, int fill) {
        return Arena.ofAuto().allocate(size, 64).fill((byte) fill);
    }

    @ParameterizedTest
    @EnumSource(value = DType.class, names = {"F32", "F16", "BF16"})
    void shouldLookAtEveryElement(DType type) {
        for (int columns : new int[] {1, 4, 7}) {
            Shape shape = Shape.of(ROWS, columns);
            for (int i = 0; i < ROWS * columns; i++) {
                for (int pattern : type == DType.F16 ? HALVES : BRAINS) {
                    MemorySegment stored = bytes((long) ROWS * columns * type.bytes(), 0);
                    if (type == DType.F32) {
                        stored.setAtIndex(ValueLayout.JAVA_INT, i, pattern << 16);
                    } else {
                        stored.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) pattern);
                    }
                    boolean finite = pattern == HALVES.getFirst() || pattern == BRAINS.getFirst();
                    Weight weight = Weight.of(Tensor.of(stored, type, shape));
                    assertEquals(finite, FiniteWeights.isFinite(weight), i + " of " + shape);
                    assertEquals(finite, FiniteWeights.isFinite(weight.transposed()), i + " of " + shape + ", transposed");
                    assertEquals(finite || i / columns != 1, FiniteWeights.isFinite(weight.row(1)), i + " of " + shape);
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(value = Layout.class, names = {"F32", "F16", "BF16", "I8", "U8"}, mode = Mode.EXCLUDE)
    void shouldLookAtTheNumbersThatEachBlockBeginsWith(Layout layout) {
        int blocks = 2 * ROWS;
        Shape shape = Shape.of(ROWS, 2L * layout.blockValues());
        assertTrue(layout.blockScales() > 0);
        for (int block = 0; block < blocks; block++) {
            for (int scale = 0; scale < layout.blockScales(); scale++) {
                for (int pattern : HALVES) {
                    // All bits of the integers are set, and nothing is infinite.
                    MemorySegment stored = bytes((long) blocks * layout.blockBytes(), 0xff);
                    for (int i = 0; i < blocks * layout.blockScales(); i++) {
                        long at = (long) i / layout.blockScales() * layout.blockBytes() + i % layout.blockScales() * 2L;
                        stored.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, (short) HALVES.getFirst().intValue());
                    }
                    stored.set(ValueLayout.JAVA_SHORT_UNALIGNED, (long) block * layout.blockBytes() + 2L * scale,
                            (short) pattern);
                    assertEquals(pattern == HALVES.getFirst(),
                            FiniteWeights.isFinite(Weight.ofBlocks(stored, layout, shape)), "block " + block);
                }
            }
        }
    }

    @Test
    void shouldLookAtTheScalesOfIntegers() {
        for (DType type : List.of(DType.I8, DType.U8)) {
            Tensor integers = Tensor.of(bytes(12, 0xff), type, Shape.of(3, 4));
            for (float scale : new float[] {1, Float.NaN, Float.POSITIVE_INFINITY}) {
                float[] scales = {1, 1, scale, 1};
                Weight weight = Weight.quantized(integers, scales, new int[4], 1);
                assertEquals(Float.isFinite(scale), FiniteWeights.isFinite(weight), type + " by " + Arrays.toString(scales));
            }
        }
    }

    @Test
    void shouldFindOneBehindManyBlocksOfBytes() {
        int elements = (1 << 16) + 3;
        MemorySegment stored = bytes(4L * elements, 0);
        Weight weight = Weight.of(Tensor.of(stored, DType.F32, Shape.of(elements)));
        assertTrue(FiniteWeights.isFinite(weight));
        Stream.of(0, 1 << 14, (1 << 14) - 1, elements - 2, elements - 1).forEach(at -> {
            stored.setAtIndex(ValueLayout.JAVA_FLOAT, at, Float.NaN);
            assertFalse(FiniteWeights.isFinite(weight), "at " + at);
            stored.setAtIndex(ValueLayout.JAVA_FLOAT, at, 0);
        });
    }
}
