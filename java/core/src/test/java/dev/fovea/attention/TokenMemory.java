package dev.fovea.attention;

import dev.fovea.attention.AttentionCase.Layout;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.random.RandomGenerator;

/**
 * Vectors of heads and tokens of a batch, under some strides, with memory between and around them that no one may
 * touch: in inputs it is NaN, in outputs a pattern that must stay.
 */
final class TokenMemory {
    private static final int UNTOUCHED = 0xffc0dead;
    private static final int GUARD = 16;

    private final MemorySegment memory;
    private final DType dtype;
    private final int[] firstTokens;
    private final boolean batched;
    private final long start;
    private final long sequenceStride;
    private final long tokenStride;
    private final long headStride;
    private final int dim;
    private final Tensor tensor;

    private TokenMemory(MemorySegment memory, DType dtype, List<Integer> lengths, boolean batched, long start,
            long sequenceStride, long tokenStride, long headStride, int heads, int rows, int dim) {
        this.memory = memory;
        this.dtype = dtype;
        this.batched = batched;
        this.start = start;
        this.sequenceStride = sequenceStride;
        this.tokenStride = tokenStride;
        this.headStride = headStride;
        this.dim = dim;
        this.firstTokens = new int[lengths.size()];
        for (int s = 1; s < lengths.size(); s++) {
            firstTokens[s] = firstTokens[s - 1] + lengths.get(s - 1);
        }
        MemorySegment from = memory.asSlice(start * dtype.bytes());
        tensor = batched
                ? Tensor.of(from, dtype, Shape.of(lengths.size(), rows, heads, dim), sequenceStride, tokenStride,
                        headStride, 1)
                : Tensor.of(from, dtype, Shape.of(rows, heads, dim), tokenStride, headStride, 1);
    }

    /** Room for sequences of these lengths. */
    static TokenMemory allocate(Arena arena, DType dtype, Layout layout, List<Integer> lengths, int heads, int dim,
            RandomGenerator random) {
        boolean batched = layout == Layout.BATCH || layout == Layout.BATCH_HEADS_FIRST;
        int gaps = layout == Layout.DENSE ? 1 : 4;
        int longest = lengths.stream().mapToInt(Integer::intValue).max().orElse(0);
        int total = lengths.stream().mapToInt(Integer::intValue).sum();
        int rows = (batched ? longest : total) + random.nextInt(gaps);
        long start = GUARD + (layout == Layout.DENSE ? 0 : random.nextInt(3));
        long tokenStride;
        long headStride;
        long sequence;
        if (layout == Layout.HEADS_FIRST || layout == Layout.BATCH_HEADS_FIRST) {
            tokenStride = dim + random.nextInt(gaps);
            headStride = rows * tokenStride + random.nextInt(gaps);
            sequence = heads * headStride;
        } else {
            headStride = dim + random.nextInt(gaps);
            tokenStride = heads * headStride + random.nextInt(gaps);
            sequence = rows * tokenStride;
        }
        long sequenceStride = sequence + random.nextInt(gaps);
        long elements = start + (batched ? lengths.size() * sequenceStride : sequence) + GUARD;
        MemorySegment memory = arena.allocate(elements * dtype.bytes(), 64);
        blank(memory, dtype);
        return new TokenMemory(memory, dtype, lengths, batched, start, sequenceStride, tokenStride, headStride, heads,
                rows, dim);
    }

    /** The three parts of [tokens, q | k | v]. */
    static TokenMemory[] fused(Arena arena, DType dtype, List<Integer> lengths, AttentionSpec spec,
            RandomGenerator random) {
        int[] heads = {spec.heads(), spec.kvHeads(), spec.kvHeads()};
        int[] dims = {spec.headDim(), spec.headDim(), spec.valueDim()};
        int total = lengths.stream().mapToInt(Integer::intValue).sum();
        long width = heads[0] * dims[0] + heads[1] * dims[1] + heads[2] * dims[2] + random.nextInt(3);
        MemorySegment memory = arena.allocate((2 * GUARD + Math.max(1, total) * width) * dtype.bytes(), 64);
        blank(memory, dtype);
        TokenMemory[] parts = new TokenMemory[3];
        long start = GUARD;
        for (int part = 0; part < parts.length; part++) {
            parts[part] = new TokenMemory(memory, dtype, lengths, false, start, 0, width, dims[part], heads[part],
                    total, dims[part]);
            start += heads[part] * dims[part];
        }
        return parts;
    }

    private static void blank(MemorySegment memory, DType dtype) {
        for (long i = 0; i < memory.byteSize() / dtype.bytes(); i++) {
            Elements.store(memory, dtype, i, Float.NaN);
        }
    }

    /** [tokens, heads, dim] or [batch, tokens, heads, dim]. */
    Tensor tensor() {
        return tensor;
    }

    /** [heads, tokens, dim] or [batch, heads, tokens, dim]. */
    Tensor headsFirst() {
        return tensor.transpose(tensor.rank() - 3, tensor.rank() - 2);
    }

    /** [heads, tokens] or [batch, heads, tokens] of vectors of one element. */
    Tensor scalars() {
        Shape shape = batched ? Shape.of(tensor.size(0), tensor.size(2), tensor.size(1))
                : Shape.of(tensor.size(1), tensor.size(0));
        return batched ? Tensor.of(tensor.segment(), dtype, shape, sequenceStride, headStride, tokenStride)
                : Tensor.of(tensor.segment(), dtype, shape, headStride, tokenStride);
    }

    private long at(int s, int i, int h) {
        return start + (batched ? s * sequenceStride + i * tokenStride : (firstTokens[s] + i) * tokenStride)
                + h * headStride;
    }

    /** Stores the vectors of a sequence, [tokens, heads, dim]. */
    void store(int s, float[] values) {
        int heads = (int) tensor.size(tensor.rank() - 2);
        for (int row = 0; row < values.length / dim; row++) {
            for (int e = 0; e < dim; e++) {
                Elements.store(memory, dtype, at(s, row / heads, row % heads) + e, values[row * dim + e]);
            }
        }
    }

    /** Prepares an F32 output. */
    void clear() {
        for (long i = 0; i < memory.byteSize() / 4; i++) {
            memory.setAtIndex(ValueLayout.JAVA_INT, i, UNTOUCHED);
        }
    }

    /** Takes the first {@code width} elements of each vector of a sequence, [tokens, heads, width]. */
    float[] take(int s, int tokens, int width) {
        int heads = (int) tensor.size(tensor.rank() - 2);
        float[] values = new float[tokens * heads * width];
        for (int row = 0; row < tokens * heads; row++) {
            for (int e = 0; e < width; e++) {
                long at = at(s, row / heads, row % heads) + e;
                values[row * width + e] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, at);
                memory.setAtIndex(ValueLayout.JAVA_INT, at, UNTOUCHED);
            }
        }
        return values;
    }

    /** Elements that someone wrote and no one took. */
    long touched() {
        long touched = 0;
        for (long i = 0; i < memory.byteSize() / 4; i++) {
            touched += memory.getAtIndex(ValueLayout.JAVA_INT, i) == UNTOUCHED ? 0 : 1;
        }
        return touched;
    }
}
