package dev.fovea.internal.cuda;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.internal.java.FloatRows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Rows of weights on their way to memory of the GPU, one after the other: each is read in the layout that it is stored
 * in, converted, and goes along in a staging buffer of fixed size. What is stored as it is wanted goes as it lies.
 */
final class WeightStream {
    private static final int STAGING_BYTES = 4 << 20;

    /** Values that are converted at a time. */
    private static final int CHUNK = 8192;

    private final CudaMemory target;
    private final MemorySegment staging;
    private final float[] values = new float[CHUNK];
    private final short[] halves = new short[CHUNK];

    /** Where in the target the staged bytes belong. */
    private long position;

    private long used;

    WeightStream(CudaMemory target, Arena arena) {
        this.target = target;
        this.staging = arena.allocate(STAGING_BYTES, 64);
    }

    /** The next bytes belong to byte {@code offset} of the target. */
    void seek(long offset) {
        flush();
        position = offset;
    }

    /** All rows of a weight, each of {@code pitch} bytes as {@code dtype}. */
    void rows(Weight weight, DType dtype, long pitch) {
        long rows = weight.rank() == 1 ? 1 : weight.size(0);
        long columns = weight.size(weight.rank() - 1);
        boolean asItLies = weight.layout().name().equals(dtype.name()) && weight.isDense()
                && pitch == columns * dtype.bytes();
        if (asItLies) {
            flush();
            target.write(position, weight.segment().asSlice(0, rows * pitch));
            position += rows * pitch;
            return;
        }
        for (long row = 0; row < rows; row++) {
            row(weight, row, dtype, pitch);
        }
    }

    /** One row, then zeros up to {@code pitch} bytes. */
    void row(Weight weight, long row, DType dtype, long pitch) {
        long columns = weight.size(weight.rank() - 1);
        for (long column = 0; column < columns; column += CHUNK) {
            int count = (int) Math.min(columns - column, CHUNK);
            weight.read(row, column, count, values, 0);
            put(count, dtype);
        }
        zeros(pitch - columns * dtype.bytes());
    }

    /** One value of a vector. */
    void value(Weight vector, long index, DType dtype) {
        vector.read(0, index, 1, values, 0);
        put(1, dtype);
    }

    /** So many bytes of zeros. */
    void zeros(long bytes) {
        for (long left = bytes; left > 0;) {
            long count = Math.min(left, STAGING_BYTES);
            room(count).fill((byte) 0);
            left -= count;
        }
    }

    private void put(int count, DType dtype) {
        MemorySegment room = room((long) count * dtype.bytes());
        if (dtype == DType.F32) {
            MemorySegment.copy(values, 0, room, JAVA_FLOAT, 0, count);
            return;
        }
        for (int i = 0; i < count; i++) {
            halves[i] = dtype == DType.BF16 ? FloatRows.bf16(values[i]) : f16(values[i]);
        }
        MemorySegment.copy(halves, 0, room, JAVA_SHORT, 0, count);
    }

    private static short f16(float value) {
        short half = Float.floatToFloat16(value);
        if (Float.isInfinite(Float.float16ToFloat(half)) && Float.isFinite(value)) {
            throw new IllegalArgumentException(
                    "expected weights of at most 65504, which F16 holds, got " + value + ": take BF16");
        }
        return half;
    }

    private MemorySegment room(long bytes) {
        if (used + bytes > STAGING_BYTES) {
            flush();
        }
        used += bytes;
        return staging.asSlice(used - bytes, bytes);
    }

    /** Brings to the GPU what is staged. */
    void flush() {
        if (used > 0) {
            target.write(position, staging.asSlice(0, used));
            position += used;
            used = 0;
        }
    }
}
