package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.function.Executable;

class WeightTest {
    private static final Class<? extends Exception> BAD = IllegalArgumentException.class;
    private static final Class<? extends Exception> OUTSIDE = IndexOutOfBoundsException.class;

    private record Case(String name, Class<? extends Exception> thrown, Executable call, String... words) {}

    private static Tensor tensor(DType dtype, long... sizes) {
        return Tensor.allocate(Arena.ofAuto(), dtype, Shape.of(sizes));
    }

    private static Weight quantized(DType dtype, int scales, int zeroPoints, int dimension, long... sizes) {
        return Weight.quantized(tensor(dtype, sizes), new float[scales], new int[zeroPoints], dimension);
    }

    private static Weight q8(long... sizes) {
        return Weight.ofBlocks(Arena.ofAuto().allocate(34 * 6), Layout.Q8_0, Shape.of(sizes));
    }

    private static final Weight MATRIX = Weight.of(tensor(DType.F32, 2, 3));
    private static final Weight VECTOR = Weight.of(tensor(DType.F32, 3));
    private static final float[] TARGET = new float[4];

    private static final List<Case> CASES = List.of(
            new Case("integers", BAD, () -> Weight.of(tensor(DType.I8, 2, 3)), "BF16", "I8[2, 3]"),
            new Case("a scalar", BAD, () -> Weight.of(tensor(DType.F32)), "1 or 2", "[]"),
            new Case("3 dimensions", BAD, () -> Weight.of(tensor(DType.F16, 2, 3, 4)), "1 or 2", "[2, 3, 4]"),
            new Case("quantized floats", BAD, () -> quantized(DType.F32, 1, 1, 0, 2, 3), "I8 or U8", "F32[2, 3]"),
            new Case("a quantized scalar", BAD, () -> quantized(DType.I8, 1, 1, 0), "1 or 2", "[]"),
            new Case("quantized 3 dimensions", BAD, () -> quantized(DType.U8, 1, 1, 0, 2, 3, 4), "1 or 2", "[2, 3, 4]"),
            new Case("no such dimension", OUTSIDE, () -> quantized(DType.I8, 1, 1, 2, 2, 3), "2"),
            new Case("scales of the other dimension", BAD, () -> quantized(DType.I8, 3, 3, 0, 2, 3), "2", "I8[2, 3]",
                    "got 3"),
            new Case("no scales", BAD, () -> quantized(DType.I8, 0, 0, 0, 2, 3), "2", "got 0"),
            new Case("other zero points", BAD, () -> quantized(DType.I8, 3, 1, 1, 2, 3), "3", "got 1"),
            new Case("a zero point beyond I8", BAD, () -> Weight.quantized(tensor(DType.I8, 2), new float[2],
                    new int[] {127, 128}, 0), "I8", "128 at 1"),
            new Case("a negative zero point of U8", BAD, () -> Weight.quantized(tensor(DType.U8, 2), new float[1],
                    new int[] {-1}, 0), "U8", "-1 at 0"),
            new Case("blocks of integers", BAD, () -> Weight.ofBlocks(MemorySegment.NULL, Layout.I8, Shape.of(0)),
                    "scales", "I8"),
            new Case("blocks of a scalar", BAD, () -> q8(), "1 or 2", "[]"),
            new Case("blocks in 3 dimensions", BAD, () -> q8(1, 1, 32), "1 or 2", "[1, 1, 32]"),
            new Case("rows that end in a block", BAD, () -> q8(2, 48), "32", "Q8_0", "[2, 48]"),
            new Case("a segment too short", BAD, () -> q8(7, 32), "238 bytes", "Q8_0[7, 32]", "204"),
            new Case("a segment far too short", BAD, () -> q8(1L << 53, 512), "Q8_0[9007199254740992, 512]"),
            new Case("more than can be addressed", BAD, () -> q8(1L << 57, 32), "Q8_0[144115188075855872, 32]"),
            new Case("a heap segment", BAD, () -> Weight.ofBlocks(MemorySegment.ofArray(new byte[34]), Layout.Q8_0,
                    Shape.of(32)), "off-heap", "34 bytes"),
            new Case("a transposed vector", BAD, () -> VECTOR.transposed(), "matrix", "F32[3]"),
            new Case("transposed blocks", BAD, () -> q8(1, 64).transposed(), "plain", "Q8_0[1, 64]"),
            new Case("a row of a vector", BAD, () -> VECTOR.row(0), "matrix", "F32[3]"),
            new Case("row 2 of 2", OUTSIDE, () -> MATRIX.row(2), "2"),
            new Case("row -1", OUTSIDE, () -> MATRIX.row(-1), "-1"),
            new Case("reading row 2 of 2", OUTSIDE, () -> MATRIX.read(2, 0, 1, TARGET, 0), "2"),
            new Case("reading no value of row -1", OUTSIDE, () -> MATRIX.read(-1, 0, 0, TARGET, 0), "-1"),
            new Case("reading row 1 of a vector", OUTSIDE, () -> VECTOR.read(1, 0, 1, TARGET, 0), "1"),
            new Case("reading past a row", OUTSIDE, () -> MATRIX.read(0, 2, 2, TARGET, 0), "3"),
            new Case("reading before a row", OUTSIDE, () -> MATRIX.read(1, -1, 1, TARGET, 0), "-1"),
            new Case("reading -1 values", OUTSIDE, () -> MATRIX.read(0, 0, -1, TARGET, 0), "-1"),
            new Case("reading past the target", OUTSIDE, () -> MATRIX.read(0, 0, 3, TARGET, 2), "4"),
            new Case("reading before the target", OUTSIDE, () -> MATRIX.read(0, 0, 1, TARGET, -1), "-1"));

    @TestFactory
    Stream<DynamicTest> shouldRefuse() {
        return CASES.stream().map(each -> dynamicTest(each.name(), () -> {
            Exception thrown = assertThrows(each.thrown(), each.call());
            for (String word : each.words()) {
                assertTrue(thrown.getMessage().contains(word), thrown.getMessage());
            }
            assertArrayEquals(new float[4], TARGET);
        }));
    }

    /** Four integers, 2 by 2, of two scales. */
    private static Weight fourIntegers(Arena arena, int dimension) {
        var bytes = StoredValues.segment(arena, 1, new byte[] {1, -2, 127, -128});
        return Weight.quantized(Tensor.of(bytes, DType.I8, Shape.of(2, 2)), new float[] {0.5f, 10}, new int[] {1, -2},
                dimension);
    }

    private static float[] row(Weight weight, long row) {
        float[] values = new float[(int) weight.size(weight.rank() - 1)];
        weight.read(row, 0, values.length, values, 0);
        return values;
    }

    @Test
    void shouldKeepScalesWithTheirValuesInEachView() {
        try (Arena arena = Arena.ofConfined()) {
            Weight byRow = fourIntegers(arena, 0);
            assertArrayEquals(new float[] {0, -1.5f}, row(byRow, 0));
            assertArrayEquals(new float[] {1290, -1260}, row(byRow, 1));
            assertArrayEquals(new float[] {-1.5f, -1260}, row(byRow.transposed(), 1));
            assertEquals(1, byRow.transposed().scaleDimension());
            assertEquals(10, byRow.row(1).scales().getFloat(0));
            assertEquals(-2, byRow.row(1).zeroPoints().segment().get(ValueLayout.JAVA_INT, 0));
            assertEquals(Shape.of(1), byRow.row(1).scales().shape());

            Weight byColumn = fourIntegers(arena, 1);
            assertArrayEquals(new float[] {0, 0}, row(byColumn, 0));
            assertArrayEquals(new float[] {63, -1260}, row(byColumn, 1));
            assertArrayEquals(new float[] {0, 63}, row(byColumn.transposed(), 0));
            assertArrayEquals(new float[] {0, 63}, row(byColumn.transposed().row(0), 0));
            assertEquals(0, byColumn.transposed().scaleDimension());
            assertEquals(Shape.of(2), byColumn.row(1).scales().shape());
            assertEquals("I8[2, 2] strides [1, 2] scales [2] of dimension 0", byColumn.transposed().toString());
        }
    }

    @Test
    void shouldCopyScalesWhenTheyChangeLater() {
        float[] scales = {2};
        int[] zeroPoints = {0};
        Tensor integers = tensor(DType.U8, 1);
        integers.segment().set(ValueLayout.JAVA_BYTE, 0, (byte) -1);
        Weight weight = Weight.quantized(integers, scales, zeroPoints, 0);
        scales[0] = 3;
        zeroPoints[0] = 7;
        assertArrayEquals(new float[] {510}, row(weight, 0));
    }

    @Test
    void shouldTellWhatItIs() {
        assertEquals("F32[2, 3]", MATRIX.toString());
        assertEquals("F32[3, 2] strides [1, 3]", MATRIX.transposed().toString());
        assertEquals("Q8_0[2, 96]", q8(2, 96).toString());
        assertEquals(96, q8(2, 96).stride(0));
        assertEquals(Layout.BF16, Weight.of(tensor(DType.BF16, 4)).layout());
        assertEquals(1, VECTOR.rank());
        assertFalse(MATRIX.transposed().isDense());
        assertTrue(MATRIX.transposed().transposed().isDense());
        assertNull(MATRIX.scales());
        assertNull(MATRIX.zeroPoints());
        assertEquals(0, MATRIX.scaleDimension());
        assertEquals(0, MATRIX.transposed().scaleDimension());
    }

    @Test
    void shouldReachOnlyItsRow() {
        assertEquals(3 * Float.BYTES, MATRIX.row(0).segment().byteSize());
        assertEquals(3 * Float.BYTES, MATRIX.row(1).segment().byteSize());
        assertEquals(MATRIX.segment().address() + 12, MATRIX.row(1).segment().address());
        assertEquals(4 * Float.BYTES, MATRIX.transposed().row(1).segment().byteSize());
        assertEquals(68, q8(3, 64).row(1).segment().byteSize());
        assertEquals(0, Weight.of(tensor(DType.F32, 0)).segment().byteSize());
    }

    @Test
    void shouldHoldNothingWhenSomeSizeIsZero() {
        try (Arena arena = Arena.ofConfined()) {
            Weight rows = Weight.of(Tensor.of(MemorySegment.NULL, DType.F16, Shape.of(3, 0)));
            rows.read(2, 0, 0, TARGET, 4);
            assertEquals(Shape.of(0), rows.row(2).shape());
            assertEquals(Shape.of(0, 3), rows.transposed().shape());
            assertTrue(rows.isDense());
            assertEquals("F16[3, 0]", rows.toString());
            assertEquals(Shape.of(3, 0), rows.toF32(arena).shape());
            Weight many = Weight.of(Tensor.of(MemorySegment.NULL, DType.BF16, Shape.of(Long.MAX_VALUE, 0)));
            assertEquals(many.shape(), many.toF32(arena).shape());
            Weight blocks = Weight.ofBlocks(MemorySegment.NULL, Layout.Q8_0, Shape.of(99, 0));
            assertEquals(Shape.of(0), blocks.row(98).shape());
            Weight integers = Weight.quantized(Tensor.of(MemorySegment.NULL, DType.I8, Shape.of(2, 0)), new float[0],
                    new int[0], 1);
            integers.row(1).read(0, 0, 0, TARGET, 0);
            assertEquals(Shape.of(2, 0), integers.toF32(arena).shape());
            assertThrows(IndexOutOfBoundsException.class, () -> rows.read(0, 0, 1, TARGET, 0));
        }
    }

    @Test
    void shouldCopyMoreThanItReadsAtATime() {
        try (Arena arena = Arena.ofConfined()) {
            int values = 3 * 8192 + 5;
            Tensor halves = Tensor.allocate(arena, DType.BF16, Shape.of(2, values));
            for (int i = 0; i < 2 * values; i++) {
                halves.segment().setAtIndex(ValueLayout.JAVA_SHORT, i, (short) (i % 0x7f80));
            }
            Tensor copy = Weight.of(halves).toF32(arena);
            for (int i = 0; i < 2 * values; i++) {
                assertEquals((i % 0x7f80) << 16, copy.segment().getAtIndex(ValueLayout.JAVA_INT, i));
            }
        }
    }

    @Test
    void shouldRefuseWhenMemoryIsClosed() {
        Arena arena = Arena.ofShared();
        Weight matrix = Weight.of(Tensor.allocate(arena, DType.BF16, Shape.of(2, 2)));
        Weight integers = fourIntegers(arena, 0);
        Weight row = integers.row(1);
        arena.close();
        for (Weight each : List.of(matrix, integers, row)) {
            assertThrows(IllegalStateException.class, () -> each.read(0, 0, 1, TARGET, 0));
            assertThrows(IllegalStateException.class, () -> each.toF32(Arena.ofAuto()));
        }
        assertThrows(IllegalStateException.class, () -> MATRIX.toF32(arena));
    }

    @Test
    void shouldReadWithoutHeapAllocation() {
        try (Arena arena = Arena.ofConfined()) {
            List<Weight> weights = List.of(MATRIX, fourIntegers(arena, 0), fourIntegers(arena, 1), q8(2, 64));
            float[] target = new float[2];
            var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            threads.getCurrentThreadAllocatedBytes();
            int quietRounds = 0;
            for (int round = 0; round < 1000 && quietRounds < 3; round++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int i = 0; i < 1000; i++) {
                    for (int j = 0; j < 4; j++) {
                        weights.get(j).read(i & 1, 0, 2, target, 0);
                    }
                }
                quietRounds = threads.getCurrentThreadAllocatedBytes() == before ? quietRounds + 1 : 0;
            }
            assertEquals(3, quietRounds, "rounds in a row without allocation");
        }
    }
}
