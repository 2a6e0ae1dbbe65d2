package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.Device;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Numbers that are not finite are found in each way in which weights are stored. */
class FiniteWeightsTest {
    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#perBackend")
    void shouldFindANumberThatIsNotFiniteAnywhere(TestEngine maker) {
        try (Engine engine = maker.create()) {
            for (DType dtype : new DType[] {DType.F32, DType.F16, DType.BF16}) {
                requireFound(dtype, Device.of(engine));
            }
        }
    }

    private static void requireFound(DType dtype, Device device) {
        int[] infinite = switch (dtype) {
            case F32 -> new int[] {0x7f800000, 0xff800000, 0x7fc00000, 0xffffffff, 0x7f800001};
            case F16 -> new int[] {0x7c00, 0xfc00, 0x7e00, 0xffff, 0x7c01};
            default -> new int[] {0x7f80, 0xff80, 0x7fc0, 0xffff, 0x7f81};
        };
        int finite = dtype == DType.F32 ? 0xff7fffff : dtype == DType.F16 ? 0xfbff : 0xff7f;
        try (Arena arena = Arena.ofConfined()) {
            for (int size : new int[] {1, 2, 3, 4, 5, 7, 8, 9, 8193, 40_001}) {
                MemorySegment memory = arena.allocate((long) size * dtype.bytes() + 2).asSlice(2);
                for (int i = 0; i < size; i++) {
                    set(memory, dtype, i, finite);
                }
                Weight weight = Weight.of(Tensor.of(memory, dtype, Shape.of(size)));
                assertTrue(FiniteWeights.isFinite(weight, device), dtype + " " + size);
                int step = Math.max(1, size / 61);
                for (int i = 0; i < size; i += i + step < size || i == size - 1 ? step : size - 1 - i) {
                    set(memory, dtype, i, infinite[i % infinite.length]);
                    assertFalse(FiniteWeights.isFinite(weight, device), dtype + " " + size + " at " + i);
                    set(memory, dtype, i, finite);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#perBackend")
    void shouldLookAtViewsAndScales(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            Device device = Device.of(engine);
            Tensor matrix = Tensor.allocate(arena, DType.F32, Shape.of(5, 7));
            Weight weight = Weight.of(matrix);
            matrix.segment().setAtIndex(ValueLayout.JAVA_FLOAT, 30, Float.NaN); // [4, 2]
            assertFalse(FiniteWeights.isFinite(weight.transposed(), device));
            assertFalse(FiniteWeights.isFinite(weight.row(4), device));
            assertTrue(FiniteWeights.isFinite(weight.row(3), device));
            assertFalse(FiniteWeights.isFinite(weight.transposed().row(2), device));
            assertTrue(FiniteWeights.isFinite(weight.transposed().row(3), device));
            Tensor integers = Tensor.allocate(arena, DType.I8, Shape.of(2, 3));
            assertTrue(FiniteWeights.isFinite(Weight.quantized(integers, new float[] {1, 2}, new int[2], 0), device));
            assertFalse(FiniteWeights.isFinite(
                    Weight.quantized(integers, new float[] {1, Float.POSITIVE_INFINITY}, new int[2], 0), device));
        }
    }

    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#perBackend")
    void shouldLookAtTheScalesOfEachBlock(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            for (Layout layout : Layout.values()) {
                int[] places = switch (layout) {
                    case F32, F16, BF16, I8, U8 -> new int[0];
                    case Q4_1, Q5_1, Q4_K, Q5_K -> new int[] {0, 2};
                    case Q8_0, Q4_0, Q5_0, IQ4_NL -> new int[] {0};
                    case Q6_K -> new int[] {208};
                    case Q2_K -> new int[] {80, 82};
                    case Q3_K -> new int[] {108};
                };
                requireFoundInBlocks(layout, places, arena, Device.of(engine));
            }
        }
    }

    /** All bits of the integers are set; the greatest finite scale gives finite values. */
    private static void requireFoundInBlocks(Layout layout, int[] places, Arena arena, Device device) {
        int blocks = 6;
        MemorySegment stored = arena.allocate((long) blocks * layout.blockBytes()).fill((byte) 0xff);
        for (int i = 0; i < blocks * places.length; i++) {
            setScale(stored, layout, places, i, 0x7bff);
        }
        for (int i = 0; i < blocks * places.length; i++) {
            Weight weight = Weight.ofBlocks(stored, layout, Shape.of(3, 2L * layout.blockValues()));
            assertTrue(FiniteWeights.isFinite(weight, device), layout + " " + i);
            for (int bits : new int[] {0x7c00, 0x7c01, 0xfc00, 0xffff}) {
                setScale(stored, layout, places, i, bits);
                assertFalse(FiniteWeights.isFinite(weight, device), layout + " " + i);
            }
            setScale(stored, layout, places, i, 0x7bff);
        }
    }

    private static void setScale(MemorySegment stored, Layout layout, int[] places, int index, int bits) {
        long block = (long) index / places.length * layout.blockBytes();
        stored.set(ValueLayout.JAVA_SHORT_UNALIGNED, block + places[index % places.length], (short) bits);
    }

    @ParameterizedTest
    @MethodSource("dev.fovea.TestEngine#perBackend")
    void shouldLookAtTheScalesOfIntegers(TestEngine maker) {
        try (Engine engine = maker.create(); Arena arena = Arena.ofConfined()) {
            for (DType type : new DType[] {DType.I8, DType.U8}) {
                Tensor integers = Tensor.of(arena.allocate(12).fill((byte) 0xff), type, Shape.of(3, 4));
                for (float scale : new float[] {1, Float.NaN, Float.POSITIVE_INFINITY}) {
                    Weight weight = Weight.quantized(integers, new float[] {1, 1, scale, 1}, new int[4], 1);
                    assertEquals(Float.isFinite(scale), FiniteWeights.isFinite(weight, Device.of(engine)), type + " " + scale);
                }
            }
        }
    }

    private static void set(MemorySegment memory, DType dtype, int index, int bits) {
        if (dtype == DType.F32) {
            memory.set(ValueLayout.JAVA_INT_UNALIGNED, (long) index * Integer.BYTES, bits);
        } else {
            memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, (long) index * Short.BYTES, (short) bits);
        }
    }
}
