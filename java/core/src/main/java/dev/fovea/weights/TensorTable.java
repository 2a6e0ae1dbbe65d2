package dev.fovea.weights;

import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;

/**
 * The tensors of an open file by name, and the arena they live in. Filled while the file is parsed
 * and constant afterwards.
 */
final class TensorTable {
    private final Path file;
    private final Arena arena;
    private final Map<String, Entry> entries = new LinkedHashMap<>();

    /**
     * A stored tensor.
     *
     * @param tensor null where the format's type is not a {@link DType}
     * @param quantization what its integers stand for, or null where they stand for themselves
     */
    private record Entry(String type, Tensor tensor, Quantization quantization) {}

    TensorTable(Path file, Arena arena) {
        this.file = file;
        this.arena = arena;
    }

    void put(String name, Tensor tensor) {
        putQuantized(name, tensor, null);
    }

    /** Puts integers that stand for real numbers. */
    void putQuantized(String name, Tensor tensor, Quantization quantization) {
        entries.put(name, new Entry(tensor.dtype().name(), tensor, quantization));
    }

    /** Puts a view of the tensor {@code viewed}. */
    void putView(String name, Tensor view, String viewed) {
        putQuantized(name, view, quantization(viewed));
    }

    /** Notes a tensor that {@link #get} refuses, naming the format's word for its type. */
    void putUnsupported(String name, String type) {
        entries.put(name, new Entry(type, null, null));
    }

    void copy(String name, TensorTable from) {
        entries.put(name, from.entries.get(name));
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

    /** Whether integers stand for real numbers here. */
    boolean isQuantized(String name) {
        return quantization(name) != null;
    }

    /** What the integers of a tensor stand for, or null. */
    Quantization quantization(String name) {
        Entry entry = entries.get(name);
        return entry == null ? null : entry.quantization;
    }

    /** What is wrong with a tensor as a whole. */
    FormatException error(String name, String problem) {
        return new FormatException(file, -1, name, problem);
    }

    /** As {@link Weights#get}. */
    Tensor get(String name) {
        if (!arena.scope().isAlive()) {
            throw new IllegalStateException("the weights of " + file + " are closed");
        }
        Entry entry = entries.get(name);
        if (entry == null) {
            throw new IllegalArgumentException(
                    "no tensor '" + name + "' among the " + entries.size() + " of " + file);
        }
        if (entry.tensor == null) {
            throw new IllegalArgumentException("tensor '" + name + "' of " + file + " has type " + entry.type
                    + ", supported are " + Arrays.toString(DType.values()));
        }
        return entry.tensor;
    }

    /** As {@link Weights#close}. */
    synchronized void close() {
        if (arena.scope().isAlive()) {
            arena.close();
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
