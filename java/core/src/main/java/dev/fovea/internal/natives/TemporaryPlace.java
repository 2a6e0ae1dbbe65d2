package dev.fovea.internal.natives;

import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory of this process alone among the temporary files, for where the cache cannot be used and memory is no file. */
record TemporaryPlace(LibraryIndex index, Path directory) implements LibraryPlace {
    static LibraryPlace open(LibraryIndex index) throws IOException {
        Path temporary = Path.of(System.getProperty("java.io.tmpdir"));
        try {
            Path directory = CacheDirectory.newTemporaryDirectory(temporary, "fovea-native-");
            directory.toFile().deleteOnExit();
            return new TemporaryPlace(index, directory);
        } catch (IOException e) {
            throw new IOException("cannot write " + temporary + " (" + e + "); name another with -Djava.io.tmpdir=DIR", e);
        }
    }

    @Override
    public Path put(LibraryIndex.Entry entry) throws IOException {
        Path file = directory.resolve(entry.name());
        if (!entry.matches(file)) {
            file.toFile().deleteOnExit();
            try (OutputStream out = Files.newOutputStream(file)) {
                index.copy(entry, out);
            } catch (IOException e) {
                throw new IOException("cannot write " + file + " (" + e + "); name another directory with"
                        + " -Djava.io.tmpdir=DIR", e);
            }
        }
        if (!entry.matches(file)) {
            throw new IOException(file + " does not have the SHA-256 " + entry.sha256() + " after it was copied from "
                    + LibraryIndex.resource(index.platform()) + "'s jar");
        }
        return file;
    }
}
