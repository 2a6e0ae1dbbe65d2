package dev.fovea.internal.memory;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.Path;
import java.nio.file.PathMatcher;
import java.nio.file.WatchService;
import java.nio.file.attribute.UserPrincipalLookupService;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A directory of files that are kept in off-heap memory, for where nothing can be written: whoever reads files reads
 * these. They are there as long as something refers to them.
 */
public final class MemoryFiles extends FileSystem {
    private static final int CHUNK_BYTES = 1 << 20;

    private final MemoryPath directory;
    private final MemoryProvider provider = new MemoryProvider();

    /** By the path below the root; of a directory null. */
    private final Map<Path, MemorySegment> files = new LinkedHashMap<>();

    /** An empty directory; {@code name} is what its paths say. */
    public MemoryFiles(String name) {
        Path root = Path.of("").toAbsolutePath().getRoot();
        directory = new MemoryPath(this, root.resolve("in-memory").resolve(name));
        files.put(directory.place(), null);
    }

    /** The path of the directory, which is absolute. */
    public Path directory() {
        return directory;
    }

    /** Keeps the rest of {@code content} as a file of this name. */
    public void put(String name, InputStream content) throws IOException {
        MemorySegment bytes;
        try (Arena reading = Arena.ofConfined()) {
            bytes = joined(chunks(content, reading));
        }
        Path place = directory.place().resolve(name);
        for (Path level = place.getParent(); !level.equals(directory.place()); level = level.getParent()) {
            files.put(level, null);
        }
        files.put(place, bytes.asReadOnly());
    }

    private static List<MemorySegment> chunks(InputStream content, Arena arena) throws IOException {
        List<MemorySegment> chunks = new ArrayList<>();
        byte[] buffer = new byte[CHUNK_BYTES];
        for (int bytes = content.readNBytes(buffer, 0, CHUNK_BYTES); bytes > 0;
                bytes = content.readNBytes(buffer, 0, CHUNK_BYTES)) {
            MemorySegment chunk = arena.allocate(bytes);
            chunk.copyFrom(MemorySegment.ofArray(buffer).asSlice(0, bytes));
            chunks.add(chunk);
        }
        return chunks;
    }

    private static MemorySegment joined(List<MemorySegment> chunks) {
        long size = chunks.stream().mapToLong(MemorySegment::byteSize).sum();
        MemorySegment bytes = Arena.ofAuto().allocate(size, 64);
        long end = 0;
        for (MemorySegment chunk : chunks) {
            bytes.asSlice(end, chunk.byteSize()).copyFrom(chunk);
            end += chunk.byteSize();
        }
        return bytes;
    }

    /** The bytes of a file that is kept here; null if there is no such file, or it is not of this kind. */
    public static MemorySegment bytes(Path file) {
        return file instanceof MemoryPath path ? path.getFileSystem().files.get(path.normalized()) : null;
    }

    boolean has(Path place) {
        return files.containsKey(place);
    }

    boolean isDirectory(Path place) {
        return files.containsKey(place) && files.get(place) == null;
    }

    List<Path> in(Path place) {
        List<Path> found = new ArrayList<>();
        for (Path file : files.keySet()) {
            if (place.equals(file.getParent())) {
                found.add(new MemoryPath(this, file));
            }
        }
        return found;
    }

    @Override
    public FileSystemProvider provider() {
        return provider;
    }

    @Override
    public Path getPath(String first, String... more) {
        return new MemoryPath(this, Path.of(first, more));
    }

    /** Does nothing: what it keeps is freed when nothing refers to it. */
    @Override
    public void close() {}

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public boolean isReadOnly() {
        return true;
    }

    @Override
    public String getSeparator() {
        return directory.place().getFileSystem().getSeparator();
    }

    @Override
    public Iterable<Path> getRootDirectories() {
        return List.of(new MemoryPath(this, directory.place().getRoot()));
    }

    @Override
    public Iterable<FileStore> getFileStores() {
        return List.of();
    }

    @Override
    public Set<String> supportedFileAttributeViews() {
        return Set.of("basic");
    }

    @Override
    public PathMatcher getPathMatcher(String pattern) {
        PathMatcher matcher = directory.place().getFileSystem().getPathMatcher(pattern);
        return path -> matcher.matches(((MemoryPath) path).place());
    }

    @Override
    public UserPrincipalLookupService getUserPrincipalLookupService() {
        throw new UnsupportedOperationException("files in memory have no owner");
    }

    @Override
    public WatchService newWatchService() {
        throw new UnsupportedOperationException("files in memory do not change");
    }
}
