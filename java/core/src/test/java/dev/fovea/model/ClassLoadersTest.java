package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.Backend;
import dev.fovea.Engine;
import java.io.File;
import java.lang.ref.WeakReference;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Applications in one JVM, each with a class loader and a Fovea of its own, as in a servlet container. */
class ClassLoadersTest {
    private static final String TEXT = "w1 w2 w3";

    @TempDir
    private Path directory;

    /** What an application saw, and its class loader, if that is still there. */
    private record Seen(String backend, float[] vector, WeakReference<ClassLoader> loader) {}

    @ParameterizedTest
    @ValueSource(strings = {"close", "forget"})
    void shouldLoadNativelyInEveryClassLoaderAndLetEachGo(String end) throws Exception {
        assumeTrue(Engine.unavailable(Backend.NATIVE).isEmpty(), "no native library here");
        Path model = new TinyModel(1).write(directory);
        try (TextEncoder first = TextEncoder.load(model)) {
            float[] expected = first.encode(TEXT);
            long copies = copiesOfTheCore();
            List<Seen> seen = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                seen.add(runApplication(model, end.equals("close")));
            }
            for (Seen one : seen) {
                assertEquals("NATIVE", one.backend());
                assertArrayEquals(expected, one.vector());
                assertNull(afterCollections(one.loader()), "the class loader stays");
            }
            assertArrayEquals(expected, first.encode(TEXT));
            assertEquals(copies, copiesOfTheCore(), "one library serves all");
        }
    }

    @Test
    void shouldLoadTheTokenizersLibraryInEveryClassLoader() throws Exception {
        Path model = new TinyModel(1).write(directory);
        String before = System.setProperty("fovea.tokenizers", "library");
        try (TextEncoder first = TextEncoder.load(model)) {
            for (int i = 0; i < 2; i++) {
                assertArrayEquals(first.encode(TEXT), runApplication(model, true).vector());
            }
        } finally {
            if (before == null) {
                System.clearProperty("fovea.tokenizers");
            }
        }
    }

    private static Seen runApplication(Path model, boolean closes) throws Exception {
        // Only the JDK is shared, as the libraries of two applications are not.
        try (var loader = new URLClassLoader(classPath(), ClassLoader.getPlatformClassLoader())) {
            Class<?> encoders = loader.loadClass(TextEncoder.class.getName());
            assertNotSame(TextEncoder.class, encoders);
            Object encoder = encoders.getMethod("load", Path.class).invoke(null, model);
            float[] vector = (float[]) encoders.getMethod("encode", String.class).invoke(encoder, TEXT);
            Object engine = encoders.getMethod("engine").invoke(encoder);
            Class<?> engines = loader.loadClass(Engine.class.getName());
            String backend = engines.getMethod("backend").invoke(engine).toString();
            if (closes) {
                ((AutoCloseable) encoder).close();
            }
            return new Seen(backend, vector, new WeakReference<>(loader));
        }
    }

    private static URL[] classPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> url(new File(entry).toURI())).toArray(URL[]::new);
    }

    private static URL url(URI uri) {
        try {
            return uri.toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static Object afterCollections(WeakReference<?> reference) throws InterruptedException {
        for (int i = 0; i < 50 && reference.get() != null; i++) {
            System.gc();
            Thread.sleep(20);
        }
        return reference.get();
    }

    private static long copiesOfTheCore() throws Exception {
        Path maps = Path.of("/proc/self/maps");
        if (!Files.exists(maps)) {
            return 0;
        }
        return Files.readAllLines(maps).stream().filter(line -> line.matches(".*[/-]libfovea\\.(so|dylib).*"))
                .map(line -> line.replaceAll("^(\\S+\\s+){4}", "")).collect(Collectors.toSet()).size();
    }
}
