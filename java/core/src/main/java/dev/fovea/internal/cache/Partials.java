package dev.fovea.internal.cache;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;

/**
 * What is being written and has not its place yet: files and directories whose names begin with {@code .partial-}. A
 * process that is killed leaves them, and any later one removes them when they are a day old.
 */
final class Partials {
    private static final String PREFIX = ".partial-";
    private static final Duration ABANDONED = Duration.ofDays(1);

    private Partials() {}

    /** A new, empty file in {@code parent}, which everyone may read. */
    static Path newFile(Path parent) throws IOException {
        Path file = Files.createTempFile(parent, PREFIX, "");
        allow(file, "rw-r--r--");
        return file;
    }

    /** A new, empty directory in {@code parent}, which everyone may read. */
    static Path newDirectory(Path parent) throws IOException {
        Path directory = Files.createTempDirectory(parent, PREFIX);
        allow(directory, "rwxr-xr-x");
        return directory;
    }

    private static void allow(Path path, String permissions) throws IOException {
        if (path.getFileSystem().supportedFileAttributeViews().contains("posix")) {
            Files.setPosixFilePermissions(path, PosixFilePermissions.fromString(permissions));
        }
    }

    /** Removes what is a day old of {@code directory} and of the directories in it. What cannot be removed stays. */
    static void deleteAbandoned(Path directory, Instant now) {
        deleteOlder(directory, PREFIX, now, 2);
    }

    /** Removes what is a day old of {@code directory} and has a name that begins with {@code prefix}. */
    static void deleteAbandoned(Path directory, String prefix, Instant now) {
        deleteOlder(directory, prefix, now, 1);
    }

    private static void deleteOlder(Path directory, String prefix, Instant now, int levels) {
        try (var entries = Files.newDirectoryStream(directory)) {
            for (Path entry : entries) {
                if (entry.getFileName().toString().startsWith(prefix)) {
                    if (isOlder(entry, now.minus(ABANDONED)) && Ownership.isOurs(entry)) {
                        delete(entry);
                    }
                } else if (levels > 1 && Files.isDirectory(entry)) {
                    deleteOlder(entry, prefix, now, levels - 1);
                }
            }
        } catch (IOException e) {
            // A cache that cannot be read or written: another process, or a later one, removes it.
        }
    }

    private static boolean isOlder(Path entry, Instant limit) throws IOException {
        return Files.getLastModifiedTime(entry, LinkOption.NOFOLLOW_LINKS).toInstant().isBefore(limit);
    }

    /** Removes a file or a directory and all that is in it; does nothing if there is none. */
    static void delete(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        Files.walkFileTree(path, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.deleteIfExists(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException failure) {
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                Files.deleteIfExists(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }
}
