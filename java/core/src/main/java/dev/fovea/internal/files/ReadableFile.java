package dev.fovea.internal.files;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/** Says what is wrong with a path that should be a file, before reading it fails with less or waits for ever. */
public final class ReadableFile {
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
    }
}
