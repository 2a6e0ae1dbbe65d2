package dev.fovea.weights;

import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.ReadableFile;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The tensors of a safetensors file, or of a set of shards through their
 * {@code model.safetensors.index.json}.
 *
 * <p>Types of the format without a {@link DType} (such as {@code F8_E4M3}) are listed among the names,
 * but {@link #get} refuses them, except {@code F64}, which it gives as a copy rounded to {@code F32}.
 */
public final class Safetensors implements Weights {
    static final String INDEX_SUFFIX = ".safetensors.index.json";

    private static final long MAX_INDEX_BYTES = 100_000_000;
    private static final String SHARD_NAME = "[\\w. -]+\\.safetensors";

    private final Path file;
    private final TensorTable tensors;

    private Safetensors(Path file, TensorTable tensors) {
        this.file = file;
        this.tensors = tensors;
    }

    /**
     * Maps a {@code .safetensors} file, or the shards that a {@code .safetensors.index.json} names.
     *
     * @throws FormatException if a header or the index is not what the format demands
     * @throws IOException if a file is absent, a directory or not readable
     */
    public static Safetensors open(Path file) throws IOException {
        Arena arena = Arena.ofShared();
        try {
            TensorTable tensors = new TensorTable(file, arena);
            if (file.toString().endsWith(INDEX_SUFFIX)) {
                mapShards(file, arena, tensors);
            } else {
                mapFile(file, arena, tensors);
            }
            return new Safetensors(file, tensors);
        } catch (Throwable failure) {
            arena.close();
            throw failure;
        }
    }

    private static void mapFile(Path file, Arena arena, TensorTable tensors) throws IOException {
        MappedFile mapped = MappedFile.map(file, arena);
        tensors.addMapped(mapped.size());
        for (SafetensorsHeader.Entry entry : SafetensorsHeader.read(mapped)) {
            Optional<DType> dtype = entry.type().dtype();
            MemorySegment bytes = mapped.bytes().asSlice(entry.begin(), entry.end() - entry.begin());
            if (entry.type() == StoredType.F64) {
                tensors.putDoubles(entry.name(), bytes, TensorTable.shape(
                        mapped, entry.begin(), entry.name() + ".shape", entry.shape()));
                continue;
            }
            if (dtype.isEmpty()) {
                tensors.putUnsupported(entry.name(), entry.type().name());
                continue;
            }
            tensors.put(entry.name(), TensorTable.view(
                    mapped, entry.begin(), entry.name() + ".shape", bytes, dtype.get(), entry.shape()));
        }
    }

    private static void mapShards(Path index, Arena arena, TensorTable tensors) throws IOException {
        Map<String, TensorTable> shards = new LinkedHashMap<>();
        for (Map.Entry<String, String> entry : readIndex(index).entrySet()) {
            String name = entry.getKey();
            TensorTable shard = shards.get(entry.getValue());
            if (shard == null) {
                Path file = index.resolveSibling(entry.getValue());
                shard = new TensorTable(file, arena);
                mapFile(file, arena, shard);
                tensors.addMapped(shard.mappedBytes());
                shards.put(entry.getValue(), shard);
            }
            if (!shard.contains(name)) {
                throw new FormatException(index, -1, "weight_map." + name, "no such tensor in " + entry.getValue() + "; there are "
                        + Excerpt.of(shard.names()));
            }
            tensors.copy(name, shard);
        }
    }

    /** The index: tensor name to the name of a file beside it. */
    private static Map<String, String> readIndex(Path index) throws IOException {
        ReadableFile.require(index);
        if (Files.size(index) > MAX_INDEX_BYTES) {
            throw new FormatException(index, 0, "index",
                    "expected at most " + MAX_INDEX_BYTES + " bytes, got " + Files.size(index));
        }
        Map<String, String> shards = new LinkedHashMap<>();
        StrictJson.read(index, 0, "index", Files.readAllBytes(index), json -> json.object("index", key -> {
            if (!key.equals("weight_map")) {
                json.skip();
                return;
            }
            json.object(key, name -> {
                String shard = json.string("weight_map." + name);
                if (!shard.matches(SHARD_NAME)) {
                    throw json.error("weight_map." + name,
                            "expected the name of a .safetensors file beside the index, got '" + Excerpt.of(shard) + "'");
                }
                shards.put(name, shard);
            });
        }));
        if (shards.isEmpty()) {
            throw new FormatException(index, 0, "weight_map", "expected at least one tensor, got none");
        }
        return shards;
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
    public void close() {
        tensors.close();
    }

    @Override
    public String toString() {
        return "Safetensors[" + file + ", " + names().size() + " tensors, " + mappedBytes() + " bytes]";
    }
}
