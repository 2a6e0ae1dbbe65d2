package dev.fovea.bench.attention;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/**
 * What every side is given, with values in (−1, 1).
 *
 * @param query [heads, tokens, head_dim]
 * @param key [heads, tokens, head_dim]
 * @param value [heads, tokens, head_dim]
 */
record AttentionInputs(float[] query, float[] key, float[] value) {
    /** Queries of so many elements, and keys and values of so many each. */
    static AttentionInputs random(int queryElements, int keyElements) {
        Random random = new Random(42);
        return new AttentionInputs(
                values(random, queryElements), values(random, keyElements), values(random, keyElements));
    }

    /** Self-attention: of as many elements each. */
    static AttentionInputs random(int elements) {
        return random(elements, elements);
    }

    /** Rounds all values to a type, to nearest and ties to even. */
    void roundTo(DType dtype) {
        for (float[] values : new float[][] {query, key, value}) {
            for (int i = 0; i < values.length; i++) {
                values[i] = switch (dtype) {
                    case BF16 -> Float.intBitsToFloat(bf16(values[i]) << 16);
                    case F16 -> Float.float16ToFloat(Float.floatToFloat16(values[i]));
                    default -> values[i];
                };
            }
        }
    }

    /** Values as a tensor of a floating-point type. */
    static Tensor tensor(Arena arena, float[] values, DType dtype, Shape shape) {
        Tensor tensor = Tensor.allocate(arena, dtype, shape);
        for (int i = 0; i < values.length; i++) {
            switch (dtype) {
                case F32 -> tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, values[i]);
                case F16 -> tensor.segment().setAtIndex(ValueLayout.JAVA_SHORT, i, Float.floatToFloat16(values[i]));
                case BF16 -> tensor.segment().setAtIndex(ValueLayout.JAVA_SHORT, i, (short) bf16(values[i]));
                default -> throw new IllegalArgumentException("expected F32, F16 or BF16, got " + dtype);
            }
        }
        return tensor;
    }

    /** The upper half of the bits of the nearest bfloat16, of a finite number. */
    private static int bf16(float value) {
        int bits = Float.floatToRawIntBits(value);
        return bits + 0x7FFF + (bits >>> 16 & 1) >>> 16;
    }

    private static float[] values(Random random, int elements) {
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }
}
