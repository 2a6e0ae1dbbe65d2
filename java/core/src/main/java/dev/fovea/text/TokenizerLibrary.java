package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Properties;

/**
 * The native library of the Hugging Face tokenizers, found in the jar of DJL's binding and loaded.
 *
 * <p>The jar's own loader asks for CUDA, may download, and writes to a place of its own. This one
 * copies the library once to {@code <cache>/tokenizers/<version>-<platform>/}, a directory that only
 * the user can write, by an atomic rename, so that any number of processes may do so at once.
 * {@code -Dfovea.tokenizers.path=FILE} loads that file instead.
 */
final class TokenizerLibrary {
    /** The system property that names a library to load in place of the jar's. */
    static final String PROPERTY = "fovea.tokenizers.path";

    private static final String RESOURCES = "/native/lib/";
    /** What the library needs on Windows, in the order in which to load it. */
    private static final List<String> WINDOWS_RUNTIME =
            List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

    private static boolean loaded;

    private TokenizerLibrary() {}

    /**
     * The native functions, once the library is loaded. A failure is tried again by the next call.
     *
     * @throws IOException if there is none for this platform, it cannot be copied to the cache, or it does not load
     */
    static synchronized TokenizersLibrary load() throws IOException {
        if (!loaded) {
            String override = System.getProperty(PROPERTY);
            if (override != null) {
                load(Path.of(override).toAbsolutePath());
            } else {
                copyAndLoad();
            }
            loaded = true;
        }
        return TokenizersLibrary.LIB;
    }

    private static void copyAndLoad() throws IOException {
        String platform = platform(System.getProperty("os.name"), System.getProperty("os.arch"));
        Path directory = CacheDirectory.user().privateDirectory("tokenizers/" + version() + "-" + platform);
        if (platform.startsWith("win-")) {
            for (String name : WINDOWS_RUNTIME) {
                load(copy(platform, name, directory));
            }
        }
        load(copy(platform, System.mapLibraryName("tokenizers"), directory));
    }

    private static void load(Path library) throws IOException {
        // The JVM looks for native methods in the libraries of the class loader that asked for them.
        if (TokenizersLibrary.class.getClassLoader() != TokenizerLibrary.class.getClassLoader()) {
            throw new IOException("cannot load " + library + ": the jar of the tokenizers is in another class loader ("
                    + TokenizersLibrary.class.getClassLoader() + ") than Fovea's");
        }
        try {
            System.load(library.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new IOException("cannot load " + library + " (" + e.getMessage().strip() + "); if its file system"
                    + " forbids execution, name another with -D" + CacheDirectory.PROPERTY + "=DIR", e);
        }
    }

    private static Path copy(String platform, String name, Path directory) throws IOException {
        URL resource = TokenizersLibrary.class.getResource(RESOURCES + platform + "/cpu/" + name);
        if (resource == null) {
            throw new IOException("no tokenizers library for " + platform
                    + " in the jar of ai.djl.huggingface:tokenizers; name one with -D" + PROPERTY + "=FILE");
        }
        Path file = directory.resolve(name);
        var connection = resource.openConnection();
        try (InputStream content = connection.getInputStream()) {
            if (!isWhole(file, connection.getContentLengthLong())) {
                replace(file, content);
            }
            return file;
        } catch (IOException e) {
            // Where a file in use cannot be replaced, another process may have put the right one there.
            if (isWhole(file, connection.getContentLengthLong())) {
                return file;
            }
            throw new IOException("cannot write " + file + " (" + e + "); name another cache with -D"
                    + CacheDirectory.PROPERTY + "=DIR", e);
        }
    }

    /** Files come by a rename; one of another size is what a failing disk has left. */
    private static boolean isWhole(Path file, long size) throws IOException {
        return Files.isRegularFile(file) && Files.size(file) == size;
    }

    private static void replace(Path file, InputStream content) throws IOException {
        Path partial = Files.createTempFile(file.getParent(), "library", ".partial");
        try {
            Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(partial);
        }
    }

    private static String version() throws IOException {
        try (InputStream in = TokenizersLibrary.class.getResourceAsStream(RESOURCES + "tokenizers.properties")) {
            if (in == null) {
                throw new IOException("no " + RESOURCES + "tokenizers.properties in the jar of the tokenizers");
            }
            Properties properties = new Properties();
            properties.load(in);
            return properties.getProperty("version", "unknown");
        }
    }

    /** The jar's name for a platform, such as {@code linux-x86_64} or {@code osx-aarch64}. */
    static String platform(String osName, String osArch) {
        String os = osName.toLowerCase(Locale.ROOT);
        String family = os.startsWith("mac") ? "osx" : os.startsWith("windows") ? "win" : os;
        return family + "-" + (osArch.equals("amd64") ? "x86_64" : osArch);
    }
}
