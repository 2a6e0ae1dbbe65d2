package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LayoutTest {
    private static final int PATTERNS = 1 << Short.SIZE;

    private static float[] read(Layout layout, int offset, byte[] bytes, int count) {
        try (Arena arena = Arena.ofConfined()) {
            float[] values = new float[count];
            layout.read(StoredValues.segment(arena, offset, bytes), 0, 1, count, values, 0);
            return values;
        }
    }

    private static void assertValue(double expected, float value, String what) {
        assertEquals((float) expected, value, what); // tells -0 from 0, and takes every NaN for one
    }

    @ParameterizedTest
    @EnumSource(names = {"F16", "BF16"})
    void shouldWidenEachPatternOf16BitsExactly(Layout layout) {
        ByteBuffer bytes = ByteBuffer.allocate(PATTERNS * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            bytes.putShort((short) pattern);
        }
        float[] values = read(layout, 1, bytes.array(), PATTERNS);
        for (int pattern = 0; pattern < PATTERNS; pattern++) {
            double expected = layout == Layout.F16 ? StoredValues.half(pattern) : StoredValues.brain(pattern);
            assertEquals(expected, (double) (float) expected, "the test's own value is exact");
            assertValue(expected, values[pattern], layout + " " + Integer.toHexString(pattern));
        }
    }

    @Test
    void shouldKeepKnownValuesOfHalves() {
        ByteBuffer bytes = ByteBuffer.allocate(14).order(ByteOrder.LITTLE_ENDIAN);
        for (int pattern : new int[] {0x3c00, 0xc000, 0x0001, 0x03ff, 0x7bff, 0xfc00, 0x8000}) {
            bytes.putShort((short) pattern);
        }
        assertArrayEquals(
                new float[] {1, -2, 0x1p-24f, 0x1.ff8p-15f, 65504, Float.NEGATIVE_INFINITY, -0f},
                read(Layout.F16, 0, bytes.array(), 7));
        assertArrayEquals(
                new float[] {0x1p-7f, -2, 0x1p-133f, 0x1.fep-120f, 0x1.fep120f, -0x1p121f, -0f},
                read(Layout.BF16, 0, bytes.array(), 7));
    }

    @Test
    void shouldReadFloatsWithEachBit() {
        int[] patterns = {0, 1, 0x007fffff, 0x00800000, 0x3f800001, 0x7f7fffff, 0x7f800000, 0x80000000, 0xff800000};
        ByteBuffer bytes = ByteBuffer.allocate(4 * patterns.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asIntBuffer().put(patterns);
        float[] values = read(Layout.F32, 3, bytes.array(), patterns.length);
        for (int i = 0; i < patterns.length; i++) {
            assertEquals(patterns[i], Float.floatToRawIntBits(values[i]));
        }
    }

    @Test
    void shouldReadEachByteWithAndWithoutSign() {
        byte[] bytes = new byte[256];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) i;
        }
        float[] signed = read(Layout.I8, 1, bytes, bytes.length);
        float[] unsigned = read(Layout.U8, 1, bytes, bytes.length);
        for (int i = 0; i < bytes.length; i++) {
            assertEquals(i < 128 ? i : i - 256, signed[i]);
            assertEquals(i, unsigned[i]);
        }
    }

    @Test
    void shouldReadBlocksOfQ8FromAnyValueToAnyOther() {
        // d = 0.5, -2, the least subnormal, 1 and q = -128 + 7 i, i the index within the file
        int[] scales = {0x3800, 0xc000, 0x0001, 0x3c00};
        float[] factors = {0.5f, -2, 0x1p-24f, 1};
        ByteBuffer bytes = ByteBuffer.allocate(4 * 34).order(ByteOrder.LITTLE_ENDIAN);
        float[] expected = new float[4 * 32];
        for (int i = 0; i < expected.length; i++) {
            if (i % 32 == 0) {
                bytes.putShort((short) scales[i / 32]);
            }
            byte q = (byte) (-128 + 7 * i);
            bytes.put(q);
            expected[i] = factors[i / 32] * q;
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = StoredValues.segment(arena, 1, bytes.array());
            for (int first = 0; first <= expected.length; first++) {
                for (int count = 0; count <= expected.length - first; count++) {
                    float[] values = new float[count + 2];
                    Layout.Q8_0.read(stored, first, 1, count, values, 1);
                    assertEquals(0, values[0]);
                    assertEquals(0, values[count + 1]);
                    for (int i = 0; i < count; i++) {
                        assertEquals(expected[first + i], values[1 + i]);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = {"F32", "F16", "BF16", "I8", "U8"})
    void shouldReadBlocksFromAnyValueToAnyOther(Layout layout) {
        byte[] bytes = new byte[4 * layout.blockBytes()];
        new Random(layout.code()).nextBytes(bytes);
        int all = 4 * layout.blockValues();
        int step = layout.blockValues() / 16 * 2 - 3; // 1 and 29
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = StoredValues.segment(arena, 1, bytes);
            for (int first = 0; first <= all; first += step) {
                for (int count = 0; count <= all - first; count += step) {
                    float[] values = new float[count + 2];
                    layout.read(stored, first, 1, count, values, 1);
                    assertEquals(0, values[0]);
                    assertEquals(0, values[count + 1]);
                    for (int i = 0; i < count; i++) {
                        assertValue(StoredValues.value(layout, bytes, first + i), values[1 + i], layout + " " + (first + i));
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldRefuseToReadPastTheSegment(Layout layout) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment stored = StoredValues.segment(arena, 0, new byte[2 * layout.blockBytes()]);
            int values = 2 * layout.blockValues();
            float[] target = new float[values + 1];
            layout.read(stored, 0, 1, values, target, 0);
            assertThrows(IndexOutOfBoundsException.class, () -> layout.read(stored, 0, 1, values + 1, target, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> layout.read(stored, 1, 1, values, target, 0));
            int before = -layout.blockValues();
            assertThrows(IndexOutOfBoundsException.class, () -> layout.read(stored, before, 1, 1, target, 0));
        }
    }

    @Test
    void shouldTellSizesOfBlocks() {
        for (DType dtype : DType.values()) {
            if (dtype == DType.I32 || dtype == DType.I64) {
                String message = assertThrows(IllegalArgumentException.class, () -> Layout.of(dtype)).getMessage();
                assertTrue(message.contains("BF16") && message.endsWith("got " + dtype), message);
            } else {
                Layout layout = Layout.of(dtype);
                assertEquals(dtype.name(), layout.name());
                assertEquals(dtype.bytes(), layout.blockBytes());
                assertEquals(1, layout.blockValues());
                assertTrue(layout.isPlain());
            }
        }
        assertEquals(34, Layout.Q8_0.blockBytes());
        assertEquals(32, Layout.Q8_0.blockValues());
        assertTrue(!Layout.Q8_0.isPlain());
    }
}
