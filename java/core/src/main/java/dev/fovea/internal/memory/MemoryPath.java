package dev.fovea.internal.memory;

import java.net.URI;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.ProviderMismatchException;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;

/** A path of {@link MemoryFiles}: what it says is what the system's own path of these names would say. */
final class MemoryPath implements Path {
    private final MemoryFiles files;
    private final Path place;

    MemoryPath(MemoryFiles files, Path place) {
        this.files = files;
        this.place = place;
    }

    /** The path of the system's with these names. */
    Path place() {
        return place;
    }

    /** The place that it names, from the root. */
    Path normalized() {
        return toAbsolutePath().place.normalize();
    }

    private MemoryPath of(Path other) {
        return other == null ? null : new MemoryPath(files, other);
    }

    private static Path placeOf(Path other) {
        if (other instanceof MemoryPath path) {
            return path.place;
        }
        throw new ProviderMismatchException("expected a path in memory, got " + other);
    }

    @Override
    public MemoryFiles getFileSystem() {
        return files;
    }

    @Override
    public boolean isAbsolute() {
        return place.isAbsolute();
    }

    @Override
    public Path getRoot() {
        return of(place.getRoot());
    }

    @Override
    public Path getFileName() {
        return of(place.getFileName());
    }

    @Override
    public Path getParent() {
        return of(place.getParent());
    }

    @Override
    public int getNameCount() {
        return place.getNameCount();
    }

    @Override
    public Path getName(int index) {
        return of(place.getName(index));
    }

    @Override
    public Path subpath(int begin, int end) {
        return of(place.subpath(begin, end));
    }

    @Override
    public boolean startsWith(Path other) {
        return other instanceof MemoryPath path && path.files == files && place.startsWith(path.place);
    }

    @Override
    public boolean endsWith(Path other) {
        return other instanceof MemoryPath path && path.files == files && place.endsWith(path.place);
    }

    @Override
    public Path normalize() {
        return of(place.normalize());
    }

    @Override
    public Path resolve(Path other) {
        return of(place.resolve(placeOf(other)));
    }

    @Override
    public Path relativize(Path other) {
        return of(place.relativize(placeOf(other)));
    }

    @Override
    public URI toUri() {
        return URI.create("fovea-memory:" + normalized().toUri().getRawPath());
    }

    /** What is relative begins in the directory. */
    @Override
    public MemoryPath toAbsolutePath() {
        return isAbsolute() ? this : of(placeOf(files.directory()).resolve(place));
    }

    @Override
    public Path toRealPath(LinkOption... options) {
        return of(normalized());
    }

    @Override
    public WatchKey register(WatchService watcher, WatchEvent.Kind<?>[] events, WatchEvent.Modifier... modifiers) {
        throw new UnsupportedOperationException("files in memory do not change");
    }

    @Override
    public int compareTo(Path other) {
        return place.compareTo(placeOf(other));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MemoryPath path && path.files == files && place.equals(path.place);
    }

    @Override
    public int hashCode() {
        return place.hashCode();
    }

    @Override
    public String toString() {
        return place.toString();
    }
}
