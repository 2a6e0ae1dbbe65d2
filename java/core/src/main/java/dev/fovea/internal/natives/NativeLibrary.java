package dev.fovea.internal.natives;

import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The C core and, where it is asked for, the GPU library, found and loaded, and OpenBLAS, found.
 *
 * <p>The files come from {@code META-INF/fovea/<platform>/} on the class path, those of the GPU library from
 * {@code META-INF/fovea/cuda-<platform>/}, and those of OpenBLAS from {@code META-INF/fovea/openblas-<platform>/},
 * where they are. Each is copied, once, to
 * {@code <cache>/native/<version>-<hash>/}, a directory that only the user can write, by an atomic rename, so that
 * any number of processes may do so at once, and compared with its SHA-256. What it has then is compared with a
 * CRC-32 before each use, and a file that is absent or damaged is copied again. OpenBLAS is copied when first
 * asked for.
 *
 * <p>{@code -Dfovea.native.path=DIR} takes the files from {@code DIR} instead, as they are, and
 * {@code -Dfovea.cuda.path=DIR} the GPU library alone.
 */
public final class NativeLibrary {
    /** The system property that names a directory to take the files from. */
    public static final String PROPERTY = "fovea.native.path";

    /** The system property that names a directory to take the GPU library from. */
    public static final String CUDA_PROPERTY = "fovea.cuda.path";

    /**
     * What is in a jar of its own: the name of its library, what stands before the platform's in the name of its jar, and the
     * property of its own that names its directory.
     */
    private enum Part {
        CORE("fovea", "", PROPERTY),
        CUDA("fovea_cuda", "cuda-", CUDA_PROPERTY),
        OPENBLAS("openblas", "openblas-", PROPERTY);

        private final String library;
        private final String prefix;
        private final String ownProperty;

        Part(String library, String prefix, String ownProperty) {
            this.library = library;
            this.prefix = prefix;
            this.ownProperty = ownProperty;
        }

        String fileName() {
            return System.mapLibraryName(library);
        }

        /** The property that is set and names its directory, or null. */
        String property() {
            return System.getProperty(ownProperty) != null ? ownProperty
                    : System.getProperty(PROPERTY) != null ? PROPERTY : null;
        }

        String absent(String platform) {
            return switch (this) {
                case CORE -> Platform.absent(platform);
                case CUDA -> Platform.absentCuda(platform);
                case OPENBLAS -> "no OpenBLAS for " + platform + " on the class path";
            };
        }
    }

    private static final Map<Part, NativeLibrary> LOADED = new EnumMap<>(Part.class);

    private final Part part;
    private final String platform;
    private final Path directory;
    /** Null where a property names the directory. */
    private final LibraryIndex index;

    private NativeLibrary(Part part, String platform, Path directory, LibraryIndex index) {
        this.part = part;
        this.platform = platform;
        this.directory = directory;
        this.index = index;
    }

    /**
     * Loads the C core into this process, once. A failure is tried again by the next call.
     *
     * @throws NativeLibraryException if there is none for this platform, it cannot be copied to the cache, or
     *     it does not load
     */
    public static NativeLibrary load() throws NativeLibraryException {
        return load(Part.CORE);
    }

    /** Loads the GPU library into this process, likewise. It opens the GPU's driver when it is first called. */
    public static NativeLibrary loadCuda() throws NativeLibraryException {
        return load(Part.CUDA);
    }

    private static synchronized NativeLibrary load(Part part) throws NativeLibraryException {
        NativeLibrary loaded = LOADED.get(part);
        if (loaded == null) {
            loaded = find(part);
            loaded.loadFile();
            LOADED.put(part, loaded);
        }
        return loaded;
    }

    /** Such as {@code linux-x86_64}. */
    public String platform() {
        return platform;
    }

    /** Where the files are. */
    public Path directory() {
        return directory;
    }

    /**
     * The OpenBLAS library, its checksum and those of the libraries that it needs compared. They lie beside it. Empty
     * where neither the class path nor the directory that a property names has one.
     *
     * @throws NativeLibraryException if it cannot be put into the cache
     */
    public Optional<Path> openBlas() throws NativeLibraryException {
        try {
            if (index == null) {
                return openBlasAmong(filesIn(directory));
            }
            LibraryIndex files = LibraryIndex.find(Part.OPENBLAS.prefix + platform);
            return files == null ? Optional.empty() : openBlasAmong(at(Part.OPENBLAS, platform, files).ensureAll());
        } catch (IOException e) {
            throw new NativeLibraryException("OpenBLAS: " + e.getMessage(), e);
        }
    }

    private List<Path> ensureAll() throws IOException {
        List<Path> files = new ArrayList<>();
        for (LibraryIndex.Entry entry : index.files()) {
            files.add(ensure(entry));
        }
        return files;
    }

    private static NativeLibrary find(Part part) throws NativeLibraryException {
        String platform = Platform.current();
        if (part.property() != null) {
            String override = System.getProperty(part.property());
            return new NativeLibrary(part, platform, Path.of(override).toAbsolutePath().normalize(), null);
        }
        try {
            LibraryIndex index = LibraryIndex.find(part.prefix + platform);
            if (index == null) {
                throw new NativeLibraryException(part.absent(platform));
            }
            return at(part, platform, index);
        } catch (IOException e) {
            throw new NativeLibraryException(e.getMessage(), e);
        }
    }

    /** What {@code index} names, in its directory of the cache. */
    private static NativeLibrary at(Part part, String platform, LibraryIndex index) throws IOException {
        String entry = "native/" + index.version() + "-" + index.hash().substring(0, 16);
        return new NativeLibrary(part, platform, CacheDirectory.user().privateDirectory(entry), index);
    }

    private void loadFile() throws NativeLibraryException {
        Path file = file();
        try {
            System.load(file.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new NativeLibraryException("cannot load " + file + " (" + oneLine(e.getMessage()) + "); "
                    + (index == null ? "-D" + part.property() + " names its directory"
                            : "if its file system forbids execution, name another with -D" + CacheDirectory.PROPERTY
                                    + "=DIR, or a directory of your own with -D" + part.ownProperty + "=DIR"), e);
        }
    }

    private Path file() throws NativeLibraryException {
        String name = part.fileName();
        if (index == null) {
            Path file = directory.resolve(name);
            if (!Files.isRegularFile(file)) {
                throw new NativeLibraryException("no " + name + " in " + directory + ", which -D" + part.property()
                        + " names");
            }
            return file;
        }
        try {
            for (LibraryIndex.Entry entry : index.files()) {
                if (entry.name().equals(name)) {
                    return ensure(entry);
                }
            }
        } catch (IOException e) {
            throw new NativeLibraryException(e.getMessage(), e);
        }
        throw new NativeLibraryException(LibraryIndex.resource(index.platform()) + " names no " + name);
    }

    /** The file of {@code entry} in the cache, with the bytes that the index says. */
    private Path ensure(LibraryIndex.Entry entry) throws IOException {
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
            Path partial = Files.createTempFile(directory, entry.name(), ".partial");
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
                throw new IOException("cannot write " + file + " (" + e + "); name another cache with -D"
                        + CacheDirectory.PROPERTY + "=DIR", e);
            }
        }
        if (!entry.matches(file)) {
            throw new IOException(file + " does not have the SHA-256 " + entry.sha256() + " after it was copied from "
                    + LibraryIndex.resource(index.platform()) + "'s jar: the jar is damaged, or the file system of -D"
                    + CacheDirectory.PROPERTY);
        }
    }

    private static Optional<Path> openBlasAmong(List<Path> files) {
        return files.stream().filter(NativeLibrary::isOpenBlas).findFirst();
    }

    private static boolean isOpenBlas(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith("libopenblas") && !name.contains("nolapack");
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static String oneLine(String message) {
        return message.strip().replaceAll("\\s*\\R\\s*", "; ");
    }
}
