package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of an open file by name, and the arena they live in. Filled while the file is parsed
 * and constant afterwards.
 */
final class TensorTable {
    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Path file;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private final Map<String, Doubles> doubles = new HashMap<>();
    /** What has been rounded of {@link #doubles}. */
    private final Map<String, Tensor> rounded = new HashMap<>();
    private long mappedBytes;

    /**
     * A stored tensor.
     *
     * @param tensor null where the format's type is not a {@link DType}
     * @param quantized what its integers stand for, as a vector if the tensor has other than 2 dimensions; null if they
     *     stand for themselves
     */
    private record Entry(String type, Tensor tensor, Weight quantized) {}

    TensorTable(Path file, Arena arena) {
        this.file = file;
        this.arena = arena;
    }

    /** Notes that a file was mapped for these tensors. */
    void addMapped(long bytes) {
        mappedBytes += bytes;
    }

    /** See {@link Weights#mappedBytes}. */
    long mappedBytes() {
        return mappedBytes;
    }

    void put(String name, Tensor tensor) {
        entries.put(name, new Entry(tensor.dtype().name(), tensor, null));
    }

    /**
     * Puts integers that stand for floating-point numbers.
     *
     * @param scales one for all integers, or one for each index of a dimension of a matrix
     * @param zeroPoints as many
     */
    void putQuantized(String name, Tensor tensor, float[] scales, int[] zeroPoints, int dimension) {
        boolean matrix = tensor.rank() == 2;
        Shape vector = Shape.of(tensor.shape().elements());
        Tensor values = matrix ? tensor : Tensor.of(tensor.segment(), tensor.dtype(), vector);
        Weight quantized = Weight.quantized(values, scales, zeroPoints, matrix ? dimension : 0);
        entries.put(name, new Entry(tensor.dtype().name(), tensor, quantized));
    }

    /** Puts a tensor that is there under one more name. */
    void putAlias(String name, String stored) {
        entries.put(name, entries.get(stored));
    }

    /** Puts the transposed view of a matrix that is there. */
    void putTransposed(String name, String stored) {
        Entry entry = entries.get(stored);
        Weight quantized = entry.quantized == null ? null : entry.quantized.transposed();
        entries.put(name, new Entry(entry.type, entry.tensor.transpose(0, 1), quantized));
    }

    /** Puts a tensor of binary64 numbers, which are rounded to {@code F32} when they are first asked for. */
    void putDoubles(String name, MemorySegment doubles, Shape shape) {
        entries.put(name, new Entry("F64", null, null));
        this.doubles.put(name, new Doubles(doubles, shape));
    }

    /** The binary64 numbers of a tensor. */
    private record Doubles(MemorySegment values, Shape shape) {}

    private synchronized Tensor rounded(String name, Doubles stored) {
        Tensor before = rounded.get(name);
        if (before != null) {
            return before;
        }
        Tensor tensor = Tensor.allocate(arena, DType.F32, stored.shape);
        for (long i = 0; i < stored.shape.elements(); i++) {
            tensor.segment().setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) stored.values.get(DOUBLE, i * Double.BYTES));
        }
        rounded.put(name, tensor);
        return tensor;
    }

    /** Notes a tensor that {@link #get} refuses, naming the format's word for its type. */
    void putUnsupported(String name, String type) {
        entries.put(name, new Entry(type, null, null));
    }

    void copy(String name, TensorTable from) {
        entries.put(name, from.entries.get(name));
        if (from.doubles.containsKey(name)) {
            doubles.put(name, from.doubles.get(name));
        }
    }

    void remove(String name) {
        entries.remove(name);
    }

    boolean contains(String name) {
        return entries.containsKey(name);
    }

    Set<String> names() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    /** The tensor, or null where it is absent or of an unsupported type. */
    Tensor find(String name) {
        Entry entry = entries.get(name);
        return entry == null ? null : entry.tensor;
    }

    /** The format's or our word for the type of a tensor that is there. */
    String type(String name) {
        return entries.get(name).type;
    }

    /** Whether integers stand for floating-point numbers here. */
    boolean isQuantized(String name) {
        return quantized(name) != null;
    }

    /** What the integers of a tensor stand for, as a vector if it has other than 2 dimensions; or null. */
    Weight quantized(String name) {
        Entry entry = entries.get(name);
        return entry == null ? null : entry.quantized;
    }

    /** Whether two tensors are both quantized with the same scales and zero points, or both not. */
    boolean hasSameScales(String name, String other) {
        Weight first = quantized(name);
        Weight second = quantized(other);
        if (first == null || second == null) {
            return first == second;
        }
        return first.scaleDimension() == second.scaleDimension()
                && first.scales().segment().mismatch(second.scales().segment()) == -1
                && first.zeroPoints().segment().mismatch(second.zeroPoints().segment()) == -1;
    }

    /** What is wrong with a tensor as a whole. */
    FormatException error(String name, String problem) {
        return new FormatException(file, -1, name, problem);
    }

    /** As {@link Weights#get}. */
    Tensor get(String name) {
        requireOpen();
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "no tensor '" + Excerpt.of(name) + "' among the " + entries.size() + " of " + file);
        }
        if (entry.tensor == null && doubles.containsKey(name)) {
            return rounded(name, doubles.get(name));
        }
        if (entry.tensor == null) {
            throw new IllegalArgumentException("tensor '" + Excerpt.of(name) + "' of " + file + " has type " + entry.type
                    + ", supported are " + Arrays.toString(DType.values()));
        }
        return entry.tensor;
    }

    /** Refuses use after {@link #close}. */
    void requireOpen() {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("the weights of " + file + " are closed");
        }
    }

    /** As {@link Weights#close}. */
    synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }

    /**
     * The F32 tensor of {@code values} with the shape and strides of {@code stored}.
     *
     * @param values those of {@code stored} in the order of its memory
     */
    static Tensor likeStored(Tensor stored, Tensor values) {
        long[] strides = new long[stored.rank()];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = stored.stride(i);
        }
        return Tensor.of(values.segment(), values.dtype(), stored.shape(), strides);
    }

    /**
     * A shape.
     *
     * @throws FormatException if it is not one that can be addressed
     */
    static Shape shape(MappedFile file, long offset, String field, long[] sizes) throws FormatException {
        try {
            return Shape.of(sizes);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.file(), offset, field, e.getMessage(), e);
        }
    }

    /**
     * A dense view of stored bytes.
     *
     * @throws FormatException if the shape is not one that can be addressed
     */
    static Tensor view(MappedFile file, long offset, String field, MemorySegment bytes, DType dtype, long[] sizes)
            throws FormatException {
        try {
            return Tensor.of(bytes, dtype, Shape.of(sizes));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.file(), offset, field, e.getMessage(), e);
        }
    }
}
