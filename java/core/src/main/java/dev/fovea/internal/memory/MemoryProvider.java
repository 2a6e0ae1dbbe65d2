package dev.fovea.internal.memory;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.AccessMode;
import java.nio.file.CopyOption;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileStore;
import java.nio.file.FileSystem;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.ReadOnlyFileSystemException;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributeView;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.FileAttributeView;
import java.nio.file.attribute.FileTime;
import java.nio.file.spi.FileSystemProvider;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads {@link MemoryFiles}; writing is refused. */
final class MemoryProvider extends FileSystemProvider {
    /** Of a file or a directory. */
    private record Attributes(boolean isDirectory, long size) implements BasicFileAttributes {
        private static final FileTime TIME = FileTime.fromMillis(0);

        @Override
        public boolean isRegularFile() {
            return !isDirectory;
        }

        @Override
        public boolean isSymbolicLink() {
            return false;
        }

        @Override
        public boolean isOther() {
            return false;
        }

        @Override
        public FileTime lastModifiedTime() {
            return TIME;
        }

        @Override
        public FileTime lastAccessTime() {
            return TIME;
        }

        @Override
        public FileTime creationTime() {
            return TIME;
        }

        @Override
        public Object fileKey() {
            return null;
        }
    }

    /** What a directory holds. */
    private record Listing(List<Path> paths) implements DirectoryStream<Path> {
        @Override
        public Iterator<Path> iterator() {
            return paths.iterator();
        }

        @Override
        public void close() {}
    }

    private static MemoryPath require(Path path) throws NoSuchFileException {
        MemoryPath known = (MemoryPath) path;
        if (!known.getFileSystem().has(known.normalized())) {
            throw new NoSuchFileException(path.toString());
        }
        return known;
    }

    @Override
    public SeekableByteChannel newByteChannel(Path path, Set<? extends OpenOption> options, FileAttribute<?>... attributes)
            throws IOException {
        for (OpenOption option : options) {
            if (option != StandardOpenOption.READ) {
                throw new ReadOnlyFileSystemException();
            }
        }
        var bytes = MemoryFiles.bytes(require(path));
        if (bytes == null) {
            throw new IOException("is a directory: " + path);
        }
        return new MemoryChannel(bytes);
    }

    @Override
    public DirectoryStream<Path> newDirectoryStream(Path directory, DirectoryStream.Filter<? super Path> filter)
            throws IOException {
        MemoryPath known = require(directory);
        if (!known.getFileSystem().isDirectory(known.normalized())) {
            throw new NotDirectoryException(directory.toString());
        }
        List<Path> accepted = new ArrayList<>();
        for (Path path : known.getFileSystem().in(known.normalized())) {
            try {
                if (filter.accept(path)) {
                    accepted.add(path);
                }
            } catch (DirectoryIteratorException e) {
                throw e.getCause();
            }
        }
        return new Listing(accepted);
    }

    @Override
    public void checkAccess(Path path, AccessMode... modes) throws IOException {
        require(path);
        for (AccessMode mode : modes) {
            if (mode != AccessMode.READ) {
                throw new AccessDeniedException(path.toString());
            }
        }
    }

    @Override
    public <A extends BasicFileAttributes> A readAttributes(Path path, Class<A> type, LinkOption... options)
            throws IOException {
        if (!type.isAssignableFrom(Attributes.class)) {
            throw new UnsupportedOperationException("files in memory have no " + type.getSimpleName());
        }
        MemoryPath known = require(path);
        var bytes = MemoryFiles.bytes(known);
        return type.cast(new Attributes(bytes == null, bytes == null ? 0 : bytes.byteSize()));
    }

    @Override
    public boolean isSameFile(Path path, Path other) {
        return path.toAbsolutePath().normalize().equals(other.toAbsolutePath().normalize());
    }

    @Override
    public boolean isHidden(Path path) {
        return false;
    }

    @Override
    public String getScheme() {
        return "fovea-memory";
    }

    @Override
    public <V extends FileAttributeView> V getFileAttributeView(Path path, Class<V> type, LinkOption... options) {
        return null;
    }

    @Override
    public Map<String, Object> readAttributes(Path path, String attributes, LinkOption... options) {
        throw new UnsupportedOperationException("files in memory have " + BasicFileAttributeView.class.getSimpleName()
                + " alone, got " + attributes);
    }

    @Override
    public FileStore getFileStore(Path path) {
        throw new UnsupportedOperationException("files in memory have no store");
    }

    @Override
    public FileSystem newFileSystem(URI uri, Map<String, ?> environment) {
        throw new UnsupportedOperationException("files in memory have no address");
    }

    @Override
    public FileSystem getFileSystem(URI uri) {
        throw new UnsupportedOperationException("files in memory have no address");
    }

    @Override
    public Path getPath(URI uri) {
        throw new UnsupportedOperationException("files in memory have no address");
    }

    @Override
    public void createDirectory(Path directory, FileAttribute<?>... attributes) {
        throw new ReadOnlyFileSystemException();
    }

    @Override
    public void delete(Path path) {
        throw new ReadOnlyFileSystemException();
    }

    @Override
    public void copy(Path source, Path target, CopyOption... options) {
        throw new ReadOnlyFileSystemException();
    }

    @Override
    public void move(Path source, Path target, CopyOption... options) {
        throw new ReadOnlyFileSystemException();
    }

    @Override
    public void setAttribute(Path path, String attribute, Object value, LinkOption... options) {
        throw new ReadOnlyFileSystemException();
    }
}
