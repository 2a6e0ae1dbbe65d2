package dev.fovea.internal.ffi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.tensor.Layout;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Header, symbol list and committed bindings agree. {@code java/core/bindings.sh} makes them so. */
class BindingsTest {
    private static final Path NATIVE = Path.of("..", "..", "native");
    private static final Path INTERNAL = Path.of("src", "main", "java", "dev", "fovea", "internal");
    private static final Path SOURCES = INTERNAL.resolve("ffi");
    private static final Path CUDA_SOURCES = INTERNAL.resolve(Path.of("cuda", "ffi"));
    private static final Pattern HASH = Pattern.compile("SHA-256 ([0-9a-f]{64})");

    @Test
    void shouldCarryTheHashOfTheHeader() throws IOException, NoSuchAlgorithmException {
        requireHash(SOURCES, "fovea.h");
        requireHash(CUDA_SOURCES, "fovea_cuda.h");
    }

    private static void requireHash(Path sources, String name) throws IOException, NoSuchAlgorithmException {
        byte[] header = Files.readAllBytes(NATIVE.resolve("include/fovea").resolve(name));
        String expected = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(header));
        for (Path source : sources(sources)) {
            var hash = HASH.matcher(Files.readAllLines(source).getFirst());
            assertTrue(hash.find(), () -> source + " names no header hash");
            assertEquals(expected, hash.group(1),
                    () -> source + " is older than " + name + ": run java/core/bindings.sh");
        }
    }

    @Test
    void shouldNumberLayoutsAsTheHeaderDoes() throws ReflectiveOperationException {
        for (Layout layout : Layout.values()) {
            assertEquals(FoveaH.class.getMethod("FOVEA_LAYOUT_" + layout).invoke(null), layout.code());
        }
    }

    @Test
    void shouldNotDependOnTheWidthOfLong() throws IOException {
        Pattern platformLong = Pattern.compile("\\bC_LONG\\b");
        for (Path source : Stream.concat(sources(SOURCES).stream(), sources(CUDA_SOURCES).stream()).toList()) {
            assertFalse(platformLong.matcher(Files.readString(source)).find(), () -> source + " uses C_LONG");
        }
    }

    /** Those that are called by number have no binding of their own. */
    @Test
    void shouldBindExactlyTheExportedSymbols() throws IOException, ReflectiveOperationException {
        Set<String> byNumber = calledByNumber();
        for (String function : byNumber) {
            FoveaH.class.getMethod(function.toUpperCase(Locale.ROOT).replaceFirst("_", "_CALL_")).invoke(null);
        }
        byNumber.addAll(bound(FoveaH.class));
        assertEquals(exported("fovea.symbols"), byNumber);
        assertEquals(exported("fovea_cuda.symbols"), bound(FoveaCudaH.class));
    }

    private static Set<String> calledByNumber() throws IOException {
        return Pattern.compile("return (fovea_\\w+)\\(").matcher(Files.readString(NATIVE.resolve("src/call.c"))).results()
                .map(match -> match.group(1)).collect(Collectors.toCollection(TreeSet::new));
    }

    private static Set<String> exported(String list) throws IOException {
        return new TreeSet<>(Files.readAllLines(NATIVE.resolve("abi").resolve(list)));
    }

    private static Set<String> bound(Class<?> bindings) {
        return Arrays.stream(bindings.getDeclaredMethods())
                .map(method -> method.getName())
                .filter(name -> name.endsWith("$handle"))
                .map(name -> name.substring(0, name.length() - "$handle".length()))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    @Test
    void shouldLookUpSymbolsInTheLibraryThatWasOpened() throws IOException {
        for (Path source : List.of(SOURCES.resolve("FoveaH.java"), CUDA_SOURCES.resolve("FoveaCudaH.java"))) {
            String header = Files.readString(source);
            assertTrue(header.contains("lookUpIn(SymbolLookup library) { SYMBOL_LOOKUP = library; }"));
            assertFalse(header.contains("loaderLookup"));
        }
    }

    private static List<Path> sources(Path folder) throws IOException {
        try (var files = Files.list(folder)) {
            List<Path> sources = files.filter(file -> file.toString().endsWith(".java")).toList();
            assertFalse(sources.isEmpty(), () -> "no sources in " + folder.toAbsolutePath());
            return sources;
        }
    }
}
