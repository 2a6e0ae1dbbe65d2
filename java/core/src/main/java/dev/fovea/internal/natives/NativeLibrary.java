package dev.fovea.internal.natives;

import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
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
 * where they are. Each is copied, once, to the {@linkplain CachePlace cache} and loaded from there. Where the cache cannot be written, is not safe or forbids execution, it is loaded from {@linkplain MemoryPlace
 * memory} or, where that is no file to the loader, from a {@linkplain TemporaryPlace temporary directory}. OpenBLAS is
 * copied when first asked for.
 *
 * <p>Nothing is bound to the class loader of this class: another one loads the same library, and shares it.
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
    private final SymbolLookup symbols;
    /** Null where a property names the directory. */
    private final LibraryIndex index;
    /** Likewise. */
    private final LibraryPlace.Kind kind;
    private final Path directory;

    private NativeLibrary(Part part, String platform, SymbolLookup symbols, LibraryIndex index, LibraryPlace.Kind kind,
            Path directory) {
        this.part = part;
        this.platform = platform;
        this.symbols = symbols;
        this.index = index;
        this.kind = kind;
        this.directory = directory;
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
            try {
                loaded = part.property() != null ? loadNamed(part) : loadFromJar(part);
            } catch (IllegalCallerException e) {
                Module module = NativeLibrary.class.getModule();
                throw new NativeLibraryException("this JVM denies native access to "
                        + (module.isNamed() ? module : "the class path") + "; start it with --enable-native-access="
                        + (module.isNamed() ? module.getName() : "ALL-UNNAMED"), e);
            }
            LOADED.put(part, loaded);
        }
        return loaded;
    }

    private static NativeLibrary loadNamed(Part part) throws NativeLibraryException {
        Path directory = Path.of(System.getProperty(part.property())).toAbsolutePath().normalize();
        Path file = directory.resolve(part.fileName());
        if (!Files.isRegularFile(file)) {
            throw new NativeLibraryException("no " + part.fileName() + " in " + directory + ", which -D" + part.property()
                    + " names");
        }
        SymbolLookup symbols = SharedLibrary.open(file, "-D" + part.property() + " names its directory");
        return new NativeLibrary(part, Platform.current(), symbols, null, null, directory);
    }

    /** From the first place that it loads from; if there is none, the failure is that of the first. */
    private static NativeLibrary loadFromJar(Part part) throws NativeLibraryException {
        String platform = Platform.current();
        LibraryIndex index;
        LibraryIndex.Entry entry;
        try {
            index = LibraryIndex.find(part.prefix + platform);
            if (index == null) {
                throw new NativeLibraryException(part.absent(platform));
            }
            entry = index.entry(part.fileName());
        } catch (IOException e) {
            throw new NativeLibraryException(e.getMessage(), e);
        }
        NativeLibraryException failure = null;
        for (LibraryPlace.Kind kind : LibraryPlace.Kind.values()) {
            try {
                LibraryPlace place = kind.open(index);
                SymbolLookup symbols = place.load(place.put(entry), "if its file system forbids execution, name"
                        + " another with -D" + CacheDirectory.PROPERTY + "=DIR, or a directory of your own with -D"
                        + part.ownProperty + "=DIR");
                return new NativeLibrary(part, platform, symbols, index, kind, place.directory());
            } catch (IOException | NativeLibraryException e) {
                failure = joined(failure, e);
            }
        }
        throw failure;
    }

    private static NativeLibraryException joined(NativeLibraryException first, Exception next) {
        if (first != null) {
            first.addSuppressed(next);
            return first;
        }
        return next instanceof NativeLibraryException e ? e : new NativeLibraryException(next.getMessage(), next);
    }

    /** Such as {@code linux-x86_64}. */
    public String platform() {
        return platform;
    }

    /** Where the files are. */
    public Path directory() {
        return directory;
    }

    /** The functions of the library. */
    public SymbolLookup symbols() {
        return symbols;
    }

    /**
     * The OpenBLAS library, its checksum and those of the libraries that it needs compared. They lie beside it, or are
     * loaded. Empty where neither the class path nor the directory that a property names has one.
     *
     * @throws NativeLibraryException if it cannot be put into the cache
     */
    public Optional<Path> openBlas() throws NativeLibraryException {
        try {
            if (index == null) {
                return openBlasAmong(filesIn(directory));
            }
            LibraryIndex files = LibraryIndex.find(Part.OPENBLAS.prefix + platform);
            return files == null ? Optional.empty() : openBlas(files);
        } catch (IOException e) {
            throw new NativeLibraryException("OpenBLAS: " + e.getMessage(), e);
        }
    }

    private Optional<Path> openBlas(LibraryIndex index) throws NativeLibraryException {
        NativeLibraryException failure = null;
        // What the core did not load from, OpenBLAS would not either.
        for (int i = kind.ordinal(); i < LibraryPlace.Kind.values().length; i++) {
            try {
                return openBlas(index, LibraryPlace.Kind.values()[i].open(index));
            } catch (IOException e) {
                failure = joined(failure, new NativeLibraryException("OpenBLAS: " + e.getMessage(), e));
            } catch (NativeLibraryException e) {
                failure = joined(failure, e);
            }
        }
        throw failure;
    }

    private static Optional<Path> openBlas(LibraryIndex index, LibraryPlace place)
            throws IOException, NativeLibraryException {
        Path openBlas = null;
        List<Path> needed = new ArrayList<>();
        for (LibraryIndex.Entry entry : index.files()) {
            Path file = place.put(entry);
            if (isOpenBlas(entry.name())) {
                openBlas = file;
            } else {
                needed.add(file);
            }
        }
        if (!place.hasNames()) {
            openInAnyOrder(place, needed);
        }
        return Optional.ofNullable(openBlas);
    }

    /** Some of the libraries need others: each round opens at least one, until all are open. */
    private static void openInAnyOrder(LibraryPlace place, List<Path> libraries) throws NativeLibraryException {
        List<Path> left = new ArrayList<>(libraries);
        while (!left.isEmpty()) {
            List<Path> failed = new ArrayList<>();
            NativeLibraryException failure = null;
            for (Path library : left) {
                try {
                    place.load(library, "OpenBLAS needs it");
                } catch (NativeLibraryException e) {
                    failed.add(library);
                    failure = joined(failure, e);
                }
            }
            if (failed.size() == left.size()) {
                throw failure;
            }
            left = failed;
        }
    }

    private static Optional<Path> openBlasAmong(List<Path> files) {
        return files.stream().filter(file -> isOpenBlas(file.getFileName().toString())).findFirst();
    }

    private static boolean isOpenBlas(String name) {
        return name.startsWith("libopenblas") && !name.contains("nolapack");
    }

    private static List<Path> filesIn(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        }
    }
}
