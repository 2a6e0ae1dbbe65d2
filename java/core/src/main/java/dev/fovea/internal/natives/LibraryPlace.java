package dev.fovea.internal.natives;

import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Path;

/** A place that libraries are copied to from their jar, and then loaded from. */
interface LibraryPlace {
    /** The kinds of places, in the order in which to try them. */
    enum Kind {
        CACHE,
        MEMORY,
        TEMPORARY;

        /**
         * The place of the files that {@code index} names.
         *
         * @throws IOException if it cannot be had here, or is not safe
         */
        LibraryPlace open(LibraryIndex index) throws IOException {
            return switch (this) {
                case CACHE -> CachePlace.open(index);
                case MEMORY -> MemoryPlace.open(index);
                case TEMPORARY -> TemporaryPlace.open(index);
            };
        }
    }

    /** Where the files are. */
    Path directory();

    /**
     * The file of {@code entry}, with the bytes that the index says.
     *
     * @throws IOException if it cannot be put there; the message names it, and the option that helps
     */
    Path put(LibraryIndex.Entry entry) throws IOException;

    /** Whether files have their names here, and so a library finds beside it those that it needs. */
    default boolean hasNames() {
        return true;
    }

    /** Opens a file that was put here. */
    default SymbolLookup load(Path file, String help) throws NativeLibraryException {
        return hasNames() ? SharedLibrary.open(file, help) : SharedLibrary.openNumbered(file, help);
    }
}
