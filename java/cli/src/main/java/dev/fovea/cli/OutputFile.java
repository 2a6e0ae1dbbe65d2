package dev.fovea.cli;

import java.io.Closeable;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that appears under its name only when it is complete: it is written beside that name, and a
 * command that fails leaves what was there before. Devices and pipes are written directly.
 */
final class OutputFile implements Closeable {
    private final Path target;
    private final Path written;
    private final FileChannel channel;
    private boolean committed;

    private OutputFile(Path target, Path written, FileChannel channel) {
        this.target = target;
        this.written = written;
        this.channel = channel;
    }

    /**
     * Begins to write {@code path}.
     *
     * @throws IOException if it is a directory or cannot be written
     */
    static OutputFile create(Path path) throws IOException {
        if (Files.isDirectory(path)) {
            throw new IOException("is a directory: " + path);
        }
        if (isSpecial(path)) {
            return new OutputFile(path, path, FileChannel.open(path, StandardOpenOption.WRITE));
        }
        Path target = Files.exists(path) ? path.toRealPath() : path.toAbsolutePath();
        if (!Files.isDirectory(target.getParent())) {
            throw new NoSuchFileException(target.getParent().toString());
        }
        Path written = target.resolveSibling(
                "." + target.getFileName() + "." + ProcessHandle.current().pid() + ".part");
        FileChannel channel =
                FileChannel.open(written, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        written.toFile().deleteOnExit();
        return new OutputFile(target, written, channel);
    }

    /** Whether {@code path} exists and is no regular file, but a device or a pipe. */
    static boolean isSpecial(Path path) {
        return Files.exists(path) && !Files.isRegularFile(path) && !Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    /** Where to write. */
    FileChannel channel() {
        return channel;
    }

    /** Puts the file in its place. */
    void commit() throws IOException {
        channel.close();
        if (!written.equals(target)) {
            Files.move(written, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        }
        committed = true;
    }

    /** Ends writing; without {@link #commit} nothing remains. */
    @Override
    public void close() throws IOException {
        channel.close();
        if (!committed && !written.equals(target)) {
            Files.deleteIfExists(written);
        }
    }
}
