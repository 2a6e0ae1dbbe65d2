package dev.fovea.bench.natives;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.net.URI;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The library of {@code bench/native}, which the build puts beside this class. */
public final class StudyLibrary {
    private static final SymbolLookup SYMBOLS;

    static {
        System.load(file().toString());
        SYMBOLS = SymbolLookup.loaderLookup();
    }

    private StudyLibrary() {}

    /** Loads it, for who calls it through JNI. */
    public static void load() {
        // The initialiser does.
    }

    /** The downcall to a function of {@code bench.h}. */
    public static MethodHandle function(String name, FunctionDescriptor descriptor, Linker.Option... options) {
        return Linker.nativeLinker().downcallHandle(SYMBOLS.findOrThrow(name), descriptor, options);
    }

    private static Path file() {
        String name = System.mapLibraryName("foveabench");
        URL resource = StudyLibrary.class.getResource(name);
        if (resource == null) {
            throw new UnsatisfiedLinkError("no " + name + " beside " + StudyLibrary.class.getName());
        }
        try {
            return resource.getProtocol().equals("file") ? Path.of(URI.create(resource.toString())) : copy(resource);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Path copy(URL resource) throws IOException {
        Path file = Files.createTempFile("fovea-bench", System.mapLibraryName(""));
        file.toFile().deleteOnExit();
        try (InputStream in = resource.openStream()) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        }
        return file;
    }
}
