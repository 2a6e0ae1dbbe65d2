package dev.fovea.internal.host;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.internal.backend.PageTable;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What a cache of a half type makes of floats, on every backend and kernel table. */
class CacheRoundingTest {
    @ParameterizedTest
    @MethodSource("dev.fovea.internal.host.KernelsContractTest#engines")
    void shouldRoundToTheCachesTypeToNearestEven(TestEngine options) {
        float[] values = {1, -0f, 1 + 0x1p-8f, 1 + 0x3p-8f, 1 + 0x1p-11f, 1 + 0x3p-11f, 65520, 1e-8f, Float.MAX_VALUE,
                Float.intBitsToFloat(0x7f800001), Float.NEGATIVE_INFINITY};
        try (Engine engine = options.create(); Arena arena = Arena.ofShared()) {
            Kernels kernels = TestKernels.of(engine, arena);
            Tensor k = Tensor.copyOf(arena, values, 1, 1, values.length);
            Tensor one = Tensor.copyOf(arena, new int[] {0, 1});
            Tensor lengths = Tensor.copyOf(arena, new int[] {130});
            Tensor table = Tensor.of(Tensor.copyOf(arena, new int[] {-1, 1}).segment(), DType.I32, Shape.of(1, 2));
            for (DType dtype : new DType[] {DType.F16, DType.BF16}) {
                Tensor keys = Tensor.allocate(arena, dtype, Shape.of(2, 1, PageTable.PAGE_KEYS, values.length));
                Tensor same = Tensor.allocate(arena, dtype, Shape.of(2, 1, PageTable.PAGE_KEYS, values.length));
                kernels.cacheAppend(1, null, k, k, one, lengths, table, keys, same);
                for (int i = 0; i < values.length; i++) {
                    short bits = keys.segment().getAtIndex(ValueLayout.JAVA_SHORT, (128 + 2) * values.length + i);
                    float expected = dtype == DType.F16
                            ? Float.float16ToFloat(Float.floatToFloat16(values[i])) : nearestBf16(values[i]);
                    float actual = dtype == DType.F16 ? Float.float16ToFloat(bits) : Float.intBitsToFloat(bits << 16);
                    assertEquals(expected, actual, dtype + " of " + values[i]);
                }
                assertEquals(-1, keys.segment().mismatch(same.segment()));
            }
        }
    }

    /** The nearer of both neighbours; of two as near, the one whose last bit is 0. */
    private static float nearestBf16(float value) {
        if (!Float.isFinite(value)) {
            return value;
        }
        int below = Float.floatToIntBits(value) & 0xffff0000;
        double down = Float.intBitsToFloat(below);
        float up = Float.intBitsToFloat(below + 0x10000);
        double middle = Float.isInfinite(up) ? Float.MAX_VALUE * (1 - 0x1p-9) : (down + up) / 2;
        boolean even = (below & 0x10000) == 0;
        double magnitude = Math.abs(value);
        return magnitude < Math.abs(middle) || magnitude == Math.abs(middle) && even ? (float) down : up;
    }
}
