package dev.fovea.internal.natives;

import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * The user's cache, {@code <cache>/native/<version>-<hash>/}: a directory that only the user can write. A file comes by
 * an atomic rename, so that any number of processes may copy it at once, and is compared with its SHA-256. What it has
 * then is compared with a CRC-32 before each use, and a file that is absent or damaged is copied again.
 */
record CachePlace(LibraryIndex index, Path directory) implements LibraryPlace {
    static LibraryPlace open(LibraryIndex index) throws IOException {
        String entry = "native/" + index.version() + "-" + index.hash().substring(0, 16);
        CacheDirectory.Private found = CacheDirectory.user().privateDirectory(entry);
        if (found.wasOpen()) {
            // Who could write a file could write its note as well.
            for (LibraryIndex.Entry file : index.files()) {
                file.forget(found.path().resolve(file.name()));
            }
        }
        return new CachePlace(index, found.path());
    }

    @Override
    public Path put(LibraryIndex.Entry entry) throws IOException {
        Path file = directory.resolve(entry.name());
        if (entry.isUnchanged(file)) {
            return file;
        }
        if (!entry.matches(file)) {
            replace(file, entry);
        }
        entry.takeNote(file);
        return file;
    }

    private void replace(Path file, LibraryIndex.Entry entry) throws IOException {
        try {
            Path partial = CacheDirectory.newPartialFile(directory);
            try {
                try (OutputStream out = Files.newOutputStream(partial)) {
                    index.copy(entry, out);
                }
                Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(partial);
            }
        } catch (IOException e) {
            // Where a file in use cannot be replaced, another process may have put the right one there.
            if (!entry.matches(file)) {
                throw CacheDirectory.unwritable(file, e);
            }
        }
        if (!entry.matches(file)) {
            throw new IOException(file + " does not have the SHA-256 " + entry.sha256() + " after it was copied from "
                    + LibraryIndex.resource(index.platform()) + "'s jar: the jar is damaged, or the file system of -D"
                    + CacheDirectory.PROPERTY);
        }
    }
}
