package dev.fovea.weights;

import dev.fovea.internal.files.ReadableFile;
import dev.fovea.internal.memory.MemoryFiles;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file's bytes, mapped for reading, or where they are kept in memory.
 *
 * @param file the file
 * @param bytes all of it; what was mapped is closed with its arena
 */
record MappedFile(Path file, MemorySegment bytes) {
    /**
     * Maps {@code file} into {@code arena}.
     *
     * @throws IOException if the file is absent, a directory or not readable; the message names it
     */
    static MappedFile map(Path file, Arena arena) throws IOException {
        ReadableFile.require(file);
        if (file.getFileSystem() != FileSystems.getDefault()) {
            MemorySegment kept = MemoryFiles.bytes(file);
            if (kept != null) {
                return new MappedFile(file, kept);
            }
        }
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new MappedFile(file, map(file, channel, arena));
        }
    }

    private static MemorySegment map(Path file, FileChannel channel, Arena arena) throws IOException {
        try {
            return channel.map(MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            if (e.getCause() instanceof OutOfMemoryError) {
                throw new IOException("cannot map " + file + ": this process has no " + channel.size()
                        + " bytes of address space left; raise its limit (ulimit -v)", e);
            }
            throw e;
        }
    }

    /** Bytes in the file. */
    long size() {
        return bytes.byteSize();
    }

    /** What is wrong with one part of this file. */
    FormatException error(long offset, String field, String problem) {
        return new FormatException(file, offset, field, problem);
    }
}
