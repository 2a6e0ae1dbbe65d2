package dev.fovea.weights;

import dev.fovea.internal.files.ReadableFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * A file's bytes, mapped for reading.
 *
 * @param file the file
 * @param bytes all of it; closed with the arena it was mapped in
 */
record MappedFile(Path file, MemorySegment bytes) {
    /**
     * Maps {@code file} into {@code arena}.
     *
     * @throws IOException if the file is absent, a directory or not readable; the message names it
     */
    static MappedFile map(Path file, Arena arena) throws IOException {
        ReadableFile.require(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return new MappedFile(file, channel.map(MapMode.READ_ONLY, 0, channel.size(), arena));
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
