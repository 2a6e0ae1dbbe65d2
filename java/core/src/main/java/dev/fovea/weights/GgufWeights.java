package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * The tensors and the metadata of a GGUF file, version 2 or 3, as llama.cpp writes it.
 *
 * <p>Shapes are in the order of this library, the innermost dimension last. A tensor in blocks of several values, such as
 * {@code Q4_0}, is no {@link Tensor}: {@link #get} refuses it, {@link #weight} gives it as it is stored, and
 * {@link #getF32} widens it. Types that are not read are listed among the names.
 */
public final class GgufWeights implements Weights {
    private final Path file;
    private final TensorTable tensors;
    private final Map<String, Blocks> blocks = new LinkedHashMap<>();
    private final GgufMetadata metadata;

    /** A tensor in blocks of several values. */
    private record Blocks(MemorySegment bytes, Layout layout, Shape shape) {}

    private GgufWeights(MappedFile mapped, Arena arena) throws FormatException {
        this.file = mapped.file();
        this.tensors = new TensorTable(file, arena);
        tensors.addMapped(mapped.size());
        GgufHeader header = GgufHeader.read(mapped);
        this.metadata = header.metadata();
        for (GgufHeader.Entry entry : header.entries()) {
            put(mapped, entry);
        }
    }

    /**
     * Maps a {@code .gguf} file.
     *
     * @throws FormatException if the header is not what the format demands
     * @throws IOException if the file is absent, a directory or not readable
     */
    public static GgufWeights open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            return new GgufWeights(MappedFile.map(file, arena), arena);
        } catch (Throwable failure) {
            arena.close();
            throw failure;
        }
    }

    private void put(MappedFile mapped, GgufHeader.Entry entry) throws FormatException {
        String name = entry.name();
        MemorySegment bytes = mapped.bytes().asSlice(entry.begin(), entry.end() - entry.begin());
        Shape shape = TensorTable.shape(mapped, entry.begin(), name + ".shape", entry.shape());
        if (entry.type().dtype() != null) {
            tensors.put(name, TensorTable.view(mapped, entry.begin(), name + ".shape", bytes, entry.type().dtype(),
                    entry.shape()));
        } else if (entry.type() == GgufType.F64) {
            tensors.putDoubles(name, bytes, shape);
        } else {
            tensors.putUnsupported(name, entry.type().name());
            if (entry.type().layout() != null) {
                blocks.put(name, new Blocks(bytes, entry.type().layout(), shape));
            }
        }
    }

    /** What the file says beside its tensors. */
    public GgufMetadata metadata() {
        return metadata;
    }

    /**
     * The shape of the tensor of this name, whatever its type.
     *
     * @throws IllegalArgumentException if there is no such tensor, or its type is not read
     * @throws IllegalStateException if the weights are closed
     */
    public Shape shape(String name) {
        Blocks stored = blocks(name);
        return stored == null ? tensors.get(name).shape() : stored.shape;
    }

    @Override
    public Path file() {
        return file;
    }

    @Override
    public long mappedBytes() {
        return tensors.mappedBytes();
    }

    @Override
    public Set<String> names() {
        return tensors.names();
    }

    @Override
    public Tensor get(String name) {
        return tensors.get(name);
    }

    @Override
    public boolean isFloatingPoint(String name) {
        return blocks(name) != null || Weights.super.isFloatingPoint(name);
    }

    @Override
    public Weight weight(String name) {
        Blocks stored = blocks(name);
        if (stored == null) {
            return Weights.super.weight(name);
        }
        if (stored.shape.rank() != 1 && stored.shape.rank() != 2) {
            throw new IllegalArgumentException("expected 1 or 2 dimensions, got shape " + stored.shape + " in tensor '"
                    + Excerpt.of(name) + "' of " + file);
        }
        return Weight.ofBlocks(stored.bytes, stored.layout, stored.shape);
    }

    @Override
    public Tensor getF32(Arena arena, String name) {
        Blocks stored = blocks(name);
        if (stored == null) {
            return Weights.super.getF32(arena, name);
        }
        Weight values = Weight.ofBlocks(stored.bytes, stored.layout, Shape.of(stored.shape.elements()));
        Tensor widened = values.toF32(arena);
        return Tensor.of(widened.segment(), widened.dtype(), stored.shape);
    }

    /** The tensor if it is stored in blocks, else null. */
    private Blocks blocks(String name) {
        Blocks stored = blocks.get(Objects.requireNonNull(name, "name"));
        if (stored != null) {
            tensors.requireOpen();
        }
        return stored;
    }

    @Override
    public void close() {
        tensors.close();
    }

    @Override
    public String toString() {
        return "GgufWeights[" + file + ", " + names().size() + " tensors, " + mappedBytes() + " bytes]";
    }
}
