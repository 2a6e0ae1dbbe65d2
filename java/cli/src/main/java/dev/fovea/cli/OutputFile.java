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
import java.time.Duration;
import java.time.Instant;

/**
 * A file that appears under its name only when it is complete: it is written beside that name, and a
 * command that fails leaves what was there before. Devices and pipes are written directly.
 */
final class OutputFile implements Closeable {
    private static final String PART = ".part";
    private static final Duration ABANDONED = Duration.ofDays(1);

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
        String name = "." + target.getFileName() + ".";
        deleteAbandoned(target.getParent(), name);
        Path written = target.resolveSibling(name + ProcessHandle.current().pid() + PART);
        FileChannel channel =
                FileChannel.open(written, StandardOpenOption.WRITE, StandardOpenOption.CREATE_NEW);
        written.toFile().deleteOnExit();
        return new OutputFile(target, written, channel);
    }

    /** Removes what processes that were killed have left of this file, when it is a day old. */
    private static void deleteAbandoned(Path directory, String name) {
        Instant limit = Instant.now().minus(ABANDONED);
        try (var files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                String other = file.getFileName().toString();
                if (other.startsWith(name) && other.substring(name.length()).matches("\\d+\\" + PART)
                        && Files.getLastModifiedTime(file).toInstant().isBefore(limit)) {
                    Files.deleteIfExists(file);
                }
            }
        } catch (IOException e) {
            // What cannot be removed stays; whether the file can be written shows next.
        }
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
