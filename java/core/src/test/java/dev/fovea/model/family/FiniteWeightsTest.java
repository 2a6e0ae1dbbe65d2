package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.Device;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

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

    private static void set(MemorySegment memory, DType dtype, int index, int bits) {
        if (dtype == DType.F32) {
            memory.set(ValueLayout.JAVA_INT_UNALIGNED, (long) index * Integer.BYTES, bits);
        } else {
            memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, (long) index * Short.BYTES, (short) bits);
        }
    }
}
