package dev.fovea.internal.natives;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Memory of this process that is a file to the loader, by {@code memfd_create(2)} of Linux: for where no directory can be
 * written, or none allows execution. Its name has the file's hash, by which another class loader finds and shares it.
 */
record MemoryPlace(LibraryIndex index) implements LibraryPlace {
    private static final Path OPEN_FILES = Path.of("/proc/self/fd");
    private static final int CLOSE_ON_EXEC = 1;

    static LibraryPlace open(LibraryIndex index) throws IOException {
        if (!Files.isDirectory(OPEN_FILES)) {
            throw new IOException("no " + OPEN_FILES + " here");
        }
        return new MemoryPlace(index);
    }

    @Override
    public Path directory() {
        return OPEN_FILES;
    }

    @Override
    public boolean hasNames() {
        return false;
    }

    @Override
    public Path put(LibraryIndex.Entry entry) throws IOException {
        String name = "fovea-" + entry.sha256().substring(0, 16) + "-" + entry.name();
        Path found = find(name, entry);
        return found != null ? found : make(name, entry);
    }

    private static Path find(String name, LibraryIndex.Entry entry) throws IOException {
        try (var files = Files.newDirectoryStream(OPEN_FILES)) {
            for (Path file : files) {
                if (isNamed(file, "/memfd:" + name) && entry.matches(file)) {
                    return file;
                }
            }
        }
        return null;
    }

    private static boolean isNamed(Path file, String start) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith(start);
        } catch (IOException e) {
            // Closed since it was listed.
            return false;
        }
    }

    private Path make(String name, LibraryIndex.Entry entry) throws IOException {
        // Stays open as long as the process, as the library does.
        Path file = OPEN_FILES.resolve(Integer.toString(create(name)));
        try (OutputStream out = Files.newOutputStream(file)) {
            index.copy(entry, out);
        }
        if (!entry.matches(file)) {
            throw new IOException(entry.name() + " does not have the SHA-256 " + entry.sha256() + ", which "
                    + LibraryIndex.resource(index.platform()) + " says: the jar is damaged");
        }
        return file;
    }

    private static int create(String name) throws IOException {
        Linker linker = Linker.nativeLinker();
        MemorySegment function = linker.defaultLookup().find("memfd_create")
                .orElseThrow(() -> new IOException("the C library has no memfd_create"));
        MethodHandle create = linker.downcallHandle(function,
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
        try (Arena call = Arena.ofConfined()) {
            int file = (int) create.invokeExact(call.allocateFrom(name), CLOSE_ON_EXEC);
            if (file < 0) {
                throw new IOException("memfd_create failed");
            }
            return file;
        } catch (IOException | RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError("memfd_create throws nothing", e);
        }
    }
}
