package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fovea.internal.cache.CacheDirectory;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.JarURLConnection;
import java.net.URL;
import java.net.URLConnection;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Properties;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;

/**
 * The native library of the Hugging Face tokenizers, found in the jar of DJL's binding and loaded.
 *
 * <p>The jar's own loader asks for CUDA, may download, and writes to a place of its own. This one
 * copies the library once to {@code <cache>/tokenizers/<version>-<platform>/}, a directory that only
 * the user can write, by an atomic rename, so that any number of processes may do so at once, and compares
 * its checksum with the jar's. Where the cache cannot be used, it is loaded from a temporary directory. A
 * class loader after the first loads a copy of its own, as the JVM binds a library to one.
 * {@code -Dfovea.tokenizers.path=FILE} loads that file instead.
 */
final class TokenizerLibrary {
    /** The system property that names a library to load in place of the jar's. */
    static final String PROPERTY = "fovea.tokenizers.path";

    private static final String RESOURCES = "/native/lib/";
    /** What the library needs on Windows, in the order in which to load it. */
    private static final List<String> WINDOWS_RUNTIME =
            List.of("libwinpthread-1.dll", "libgcc_s_seh-1.dll", "libstdc++-6.dll");

    private static final String TEMPORARY = "fovea-tokenizers-";

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
        IOException failure;
        try {
            copyAndLoad(platform, CacheDirectory.user().privateDirectory("tokenizers/" + version() + "-" + platform).path());
            return;
        } catch (IOException e) {
            failure = e;
        }
        try {
            Path directory = CacheDirectory.newTemporaryDirectory(temporary(), TEMPORARY);
            directory.toFile().deleteOnExit();
            directory.resolve(System.mapLibraryName("tokenizers")).toFile().deleteOnExit();
            copyAndLoad(platform, directory);
        } catch (IOException e) {
            failure.addSuppressed(e);
            throw failure;
        }
    }

    private static Path temporary() {
        return Path.of(System.getProperty("java.io.tmpdir"));
    }

    private static void copyAndLoad(String platform, Path directory) throws IOException {
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
            if (String.valueOf(e.getMessage()).contains("another classloader")) {
                loadCopy(library);
                return;
            }
            throw new IOException("cannot load " + library + " (" + e.getMessage().strip() + "); if its file system"
                    + " forbids execution, name another with -D" + CacheDirectory.PROPERTY + "=DIR", e);
        } catch (IllegalCallerException e) {
            throw new IOException("cannot load " + library + ": this JVM denies native access; start it with"
                    + " --enable-native-access=ALL-UNNAMED, or dev.fovea,ai.djl.tokenizers on the module path", e);
        }
    }

    private static void loadCopy(Path library) throws IOException {
        Path directory = CacheDirectory.newTemporaryDirectory(temporary(), TEMPORARY);
        Path copy = directory.resolve(library.getFileName());
        directory.toFile().deleteOnExit();
        copy.toFile().deleteOnExit();
        Files.copy(library, copy);
        try {
            System.load(copy.toString());
        } catch (UnsatisfiedLinkError e) {
            throw new IOException("cannot load " + copy + ", a copy of " + library + " for a further class loader ("
                    + e.getMessage().strip() + "); name another directory with -Djava.io.tmpdir=DIR", e);
        }
    }

    private static Path copy(String platform, String name, Path directory) throws IOException {
        URL resource = TokenizersLibrary.class.getResource(RESOURCES + platform + "/cpu/" + name);
        if (resource == null) {
            throw new IOException("no tokenizers library for " + platform
                    + " in the jar of ai.djl.huggingface:tokenizers; name one with -D" + PROPERTY + "=FILE");
        }
        Path file = directory.resolve(name);
        long expected = checksum(resource);
        if (hasChecksum(file, expected)) {
            return file;
        }
        try {
            replace(file, resource);
        } catch (IOException e) {
            // Where a file in use cannot be replaced, another process may have put the right one there.
            if (!hasChecksum(file, expected)) {
                throw CacheDirectory.unwritable(file, e);
            }
        }
        if (!hasChecksum(file, expected)) {
            throw new IOException(file + " is not what it was copied from, " + resource + ": the file system of -D"
                    + CacheDirectory.PROPERTY + " is damaged");
        }
        return file;
    }

    private static boolean hasChecksum(Path file, long expected) throws IOException {
        return Files.isRegularFile(file) && checksum(Files.newInputStream(file)) == expected;
    }

    /** The CRC-32 of a resource, which a jar has noted. */
    private static long checksum(URL resource) throws IOException {
        URLConnection connection = resource.openConnection();
        if (connection instanceof JarURLConnection jar && jar.getJarEntry() != null) {
            return jar.getJarEntry().getCrc();
        }
        return checksum(connection.getInputStream());
    }

    private static long checksum(InputStream content) throws IOException {
        CRC32 checksum = new CRC32();
        try (var in = new CheckedInputStream(content, checksum)) {
            in.transferTo(OutputStream.nullOutputStream());
        }
        return checksum.getValue();
    }

    private static void replace(Path file, URL resource) throws IOException {
        Path partial = CacheDirectory.newPartialFile(file.getParent());
        try (InputStream content = resource.openStream()) {
            Files.copy(content, partial, StandardCopyOption.REPLACE_EXISTING);
            Files.move(partial, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
