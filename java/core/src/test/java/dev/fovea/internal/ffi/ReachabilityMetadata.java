package dev.fovea.internal.ffi;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What GraalVM's native-image cannot see by itself: the signatures of downcalls, what is found by name, and resources. Read
 * from the sources, so that nothing is forgotten; {@code java/core/bindings.sh} writes it where native-image looks.
 */
final class ReachabilityMetadata {
    /** Below {@code src/main/resources}. */
    static final Path FILE = Path.of("META-INF", "native-image", "dev.fovea", "fovea", "reachability-metadata.json");

    private static final Pattern DESCRIPTOR = Pattern.compile("FunctionDescriptor\\.of(Void)?\\(([^()]*)\\)");
    private static final Pattern PROVIDER = Pattern.compile("class (\\w+) implements EngineProvider\\b");
    private static final Pattern VAR_HANDLE = Pattern.compile("findVarHandle\\((\\w+)\\.class, \"(\\w+)\"");
    private static final Pattern PACKAGE = Pattern.compile("(?m)^package ([\\w.]+);");

    /** The names in sources of the layouts that functions take, and native-image's. */
    private static final Map<String, String> TYPES = Map.ofEntries(
            Map.entry("C_CHAR", "jbyte"), Map.entry("C_SHORT", "jshort"), Map.entry("C_INT", "jint"),
            Map.entry("C_LONG_LONG", "jlong"), Map.entry("C_FLOAT", "jfloat"), Map.entry("C_DOUBLE", "jdouble"),
            Map.entry("C_POINTER", "void*"), Map.entry("JAVA_INT", "jint"), Map.entry("JAVA_LONG", "jlong"),
            Map.entry("JAVA_FLOAT", "jfloat"), Map.entry("ADDRESS", "void*"));

    private final TreeSet<String> downcalls = new TreeSet<>();
    private final TreeSet<String> types = new TreeSet<>();
    private final TreeSet<String> resources = new TreeSet<>(List.of("META-INF/fovea/**"));

    private ReachabilityMetadata() {}

    /** Writes the file of the module whose {@code src/main} is the argument. */
    public static void main(String[] arguments) throws IOException {
        Path main = Path.of(arguments[0]);
        Path file = main.resolve("resources").resolve(FILE);
        Files.createDirectories(file.getParent());
        Files.writeString(file, of(main));
    }

    /** The file's text for the sources in {@code main}. */
    static String of(Path main) throws IOException {
        ReachabilityMetadata metadata = new ReachabilityMetadata();
        for (Path source : files(main.resolve("java"))) {
            metadata.read(source);
        }
        Path resources = main.resolve("resources");
        for (Path resource : files(resources)) {
            if (!resource.startsWith(resources.resolve("META-INF"))) {
                metadata.addResource(resources.relativize(resource));
            }
        }
        return metadata.json();
    }

    private void read(Path source) throws IOException {
        String text = Files.readString(source);
        if (text.contains("Linker.Option") || text.contains(".upcallStub(")) {
            throw new IllegalStateException(source + " has a linker option or an upcall: neither is written yet");
        }
        DESCRIPTOR.matcher(text).results().map(match -> downcall(source, match)).forEach(downcalls::add);
        String name = source.getFileName().toString().replace(".java", "");
        var inPackage = PACKAGE.matcher(text);
        String prefix = inPackage.find() ? inPackage.group(1) + '.' : "";
        PROVIDER.matcher(text).results().forEach(match -> types.add("{\"type\": \"" + prefix
                + (match.group(1).equals(name) ? name : name + '$' + match.group(1))
                + "\", \"methods\": [{\"name\": \"<init>\", \"parameterTypes\": []}]}"));
        VAR_HANDLE.matcher(text).results().forEach(match -> types.add("{\"type\": \"" + prefix + match.group(1)
                + "\", \"fields\": [{\"name\": \"" + match.group(2) + "\"}]}"));
    }

    private static String downcall(Path source, MatchResult match) {
        List<String> layouts = new ArrayList<>(Arrays.stream(match.group(2).split(","))
                .map(String::strip)
                .filter(layout -> !layout.isEmpty())
                .map(layout -> type(source, layout))
                .toList());
        return signature(match.group(1) != null ? "void" : layouts.removeFirst(), layouts);
    }

    private static String type(Path source, String layout) {
        String type = TYPES.get(layout.substring(layout.lastIndexOf('.') + 1));
        if (type == null) {
            throw new IllegalStateException(source + ": no type of native-image is known for the layout " + layout);
        }
        return type;
    }

    /** The line of a downcall, in native-image's names of types. */
    static String signature(String returned, List<String> parameters) {
        return "{\"returnType\": \"" + returned + "\", \"parameterTypes\": ["
                + parameters.stream().map(type -> '"' + type + '"').collect(Collectors.joining(", ")) + "]}";
    }

    /** A file of ours; for each folder of the catalog, also the entries of the jar that carries the model. */
    private void addResource(Path resource) {
        String name = resource.toString().replace('\\', '/');
        resources.add(name);
        if (name.startsWith("dev/fovea/model/catalog/")) {
            String model = name.split("/")[4];
            resources.add(model + ".onnx");
            resources.add(model + "-tokenizer.json");
        }
    }

    private String json() {
        List<String> globs = resources.stream().map(glob -> "{\"glob\": \"" + glob + "\"}").toList();
        return "{\n  \"reflection\": [" + lines("    ", types) + "\n  ],\n  \"resources\": [" + lines("    ", globs)
                + "\n  ],\n  \"foreign\": {\n    \"downcalls\": [" + lines("      ", downcalls) + "\n    ]\n  }\n}\n";
    }

    private static String lines(String indent, Iterable<String> values) {
        return '\n' + indent + String.join(",\n" + indent, values);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile).sorted().toList();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
