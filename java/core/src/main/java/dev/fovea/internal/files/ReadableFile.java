package dev.fovea.internal.files;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;

/** Says what is wrong with a path that should be a file, before reading it fails with less or waits for ever. */
public final class ReadableFile {
    /** A pointer is smaller than this. */
    private static final int LFS_BYTES = 1024;

    private static final byte[] LFS_VERSION =
            "version https://git-lfs.github.com/spec/".getBytes(StandardCharsets.US_ASCII);

    private ReadableFile() {}

    /**
     * Refuses a path that is not a file to read.
     *
     * @throws IOException if it is absent, not a regular file or not readable; the message names it and the reason
     */
    public static void require(Path file) throws IOException {
        if (Files.notExists(file)) {
            throw new NoSuchFileException(file.toString(), null, "there is no such file");
        }
        if (Files.isDirectory(file)) {
            throw new FileSystemException(file.toString(), null, "expected a file, got a directory");
        }
        if (!Files.isRegularFile(file)) {
            throw new FileSystemException(file.toString(), null, "expected a file, got a pipe, a socket or a device");
        }
        if (!Files.isReadable(file)) {
            throw new AccessDeniedException(file.toString(), null, "the file is not readable");
        }
        if (isLfsPointer(file)) {
            throw new FileSystemException(file.toString(), null,
                    "expected the file, got its Git LFS pointer; 'git lfs pull' gets the file");
        }
    }

    /** Whether Git LFS has put a few lines in the place of the file: its specification, version 1. */
    private static boolean isLfsPointer(Path file) throws IOException {
        if (Files.size(file) >= LFS_BYTES) {
            return false;
        }
        byte[] bytes = Files.readAllBytes(file);
        return bytes.length >= LFS_VERSION.length
                && Arrays.equals(bytes, 0, LFS_VERSION.length, LFS_VERSION, 0, LFS_VERSION.length);
    }
}
