package dev.fovea;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.constantpool.ConstantPool;
import java.lang.classfile.constantpool.PoolEntry;
import java.lang.classfile.constantpool.StringEntry;
import java.lang.classfile.constantpool.Utf8Entry;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Dependencies between packages point one way. Read from the constant pools of the compiled classes, so neither a
 * qualified name nor a signature slips through.
 */
class ArchitectureTest {
    private static final Path SOURCES = Path.of("src", "main", "java");
    private static final Path CLASSES = Path.of("target", "classes");
    private static final Pattern CLASS_NAME = Pattern.compile("dev/fovea/[\\w/$]+");

    /** Package → the packages that it may not know, though no cycle would come of it. */
    private static final Map<String, List<String>> FORBIDDEN = Map.ofEntries(
            Map.entry("tensor", List.of("ops", "internal/backend")),
            Map.entry("ops", List.of("internal/backend", "graph", "attention")),
            Map.entry("attention", List.of("text", "weights", "internal/host", "internal/natives")),
            Map.entry("text", List.of("graph", "internal/backend", "internal/natives")),
            Map.entry("weights", List.of("graph", "text", "ops", "internal/backend", "internal/natives")),
            Map.entry("vectors", List.of("graph", "attention", "text", "weights", "model", "internal/natives")),
            Map.entry("graph", List.of("attention", "text", "weights", "internal/host", "internal/natives")),
            Map.entry("internal/backend", List.of("text", "weights", "internal/natives")),
            Map.entry("internal/host", List.of("text", "weights", "internal/natives")),
            Map.entry("internal/cuda", List.of("text", "weights", "graph", "attention", "model")),
            Map.entry("internal/natives", List.of("text", "weights", "tensor")),
            Map.entry("internal/cache", List.of("text", "weights", "tensor")));

    @Test
    void shouldTouchBindingsOnlyInTheNativeBackend() throws IOException {
        Set<String> users = new TreeSet<>();
        references().forEach((name, referenced) -> {
            if (referenced.stream().anyMatch(other -> packageOf(other).equals("internal/ffi"))) {
                users.add(packageOf(name));
            }
        });
        // The GPU library takes structs and codes of fovea.h, too.
        users.removeAll(Set.of("internal/ffi", "internal/cpu", "internal/cuda"));
        assertEquals(Set.of(), users);
    }

    @Test
    void shouldTouchBindingsOfTheGpuLibraryOnlyInItsBackend() throws IOException {
        Set<String> users = new TreeSet<>();
        references().forEach((name, referenced) -> {
            if (referenced.stream().anyMatch(other -> packageOf(other).equals("internal/cuda/ffi"))) {
                users.add(packageOf(name));
            }
        });
        assertEquals(Set.of("internal/cuda", "internal/cuda/ffi"), users);
    }

    /** A device address is a number, which no segment is made of. */
    @Test
    void shouldNeverMakeASegmentOfADeviceAddress() throws IOException {
        try (var files = Files.list(SOURCES.resolve("dev/fovea/internal/cuda"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                assertFalse(Files.readString(file).contains("MemorySegment.ofAddress"), file.toString());
            }
        }
    }

    @Test
    void shouldKeepBindingsFreeOfTheRest() throws IOException {
        references().forEach((name, referenced) -> {
            if (packageOf(name).endsWith("/ffi")) {
                assertEquals(Set.of(packageOf(name)),
                        referenced.stream().map(ArchitectureTest::packageOf).collect(Collectors.toSet()), name);
            }
        });
    }

    @Test
    void shouldHaveNoCycleBetweenPackages() throws IOException {
        Map<String, Set<String>> packages = new TreeMap<>();
        references().forEach((name, referenced) -> referenced.forEach(other -> {
            if (!packageOf(name).equals(packageOf(other))) {
                packages.computeIfAbsent(packageOf(name), _ -> new TreeSet<>()).add(packageOf(other));
            }
        }));
        for (String start : packages.keySet()) {
            assertEquals(List.of(), cycle(packages, start, new ArrayList<>(), new HashSet<>()));
        }
    }

    /** A way from the last package of {@code path} back into the path, or nothing. */
    private static List<String> cycle(Map<String, Set<String>> packages, String at, List<String> path,
            Set<String> done) {
        if (path.contains(at)) {
            path.add(at);
            return path.subList(path.indexOf(at), path.size());
        }
        if (!done.add(at)) {
            return List.of();
        }
        path.add(at);
        for (String next : packages.getOrDefault(at, Set.of())) {
            List<String> found = cycle(packages, next, path, done);
            if (!found.isEmpty()) {
                return found;
            }
        }
        path.removeLast();
        return List.of();
    }

    @Test
    void shouldFindACycle() {
        Map<String, Set<String>> packages = Map.of("a", Set.of("b"), "b", Set.of("c"), "c", Set.of("d"),
                "d", Set.of("e"), "e", Set.of("c"));
        assertEquals(List.of("c", "d", "e", "c"), cycle(packages, "a", new ArrayList<>(), new HashSet<>()));
        assertEquals(List.of(), cycle(Map.of("a", Set.of("b", "c"), "b", Set.of("c")), "a", new ArrayList<>(),
                new HashSet<>()));
    }

    @Test
    void shouldPointOneWay() throws IOException {
        Set<String> violations = new TreeSet<>();
        references().forEach((name, referenced) -> {
            List<String> forbidden = FORBIDDEN.getOrDefault(packageOf(name), List.of());
            for (String other : referenced) {
                if (forbidden.contains(packageOf(other))) {
                    violations.add(name + " → " + other);
                }
            }
        });
        assertEquals(Set.of(), violations);
    }

    /** What reads badly is cut: a file of the core has at most 400 lines, tests included. */
    @Test
    void shouldKeepFilesShort() throws IOException {
        Set<String> longer = new TreeSet<>();
        try (var files = Files.walk(Path.of("src"))) {
            for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
                if (!file.toString().contains("ffi") && Files.readAllLines(file).size() > 400) {
                    longer.add(file.toString());
                }
            }
        }
        assertEquals(Set.of(), longer);
    }

    @Test
    void shouldDescribeEachExportedPackage() throws IOException {
        ModuleDescriptor module;
        try (var in = Files.newInputStream(CLASSES.resolve("module-info.class"))) {
            module = ModuleDescriptor.read(in);
        }
        for (var exported : module.exports()) {
            Path description = SOURCES.resolve(exported.source().replace('.', '/')).resolve("package-info.java");
            assertTrue(Files.exists(description), description + " is missing");
        }
    }

    /** Each compiled class and the project's classes that its constant pool names. */
    private static Map<String, Set<String>> references() throws IOException {
        Map<String, Set<String>> references = new TreeMap<>();
        try (var files = Files.walk(CLASSES)) {
            for (Path file : files.filter(f -> f.toString().endsWith(".class")).toList()) {
                var model = ClassFile.of().parse(file);
                references.put(model.thisClass().asInternalName(), namesIn(model.constantPool()));
            }
        }
        references.remove("module-info");
        assertFalse(references.isEmpty(), () -> "no classes in " + CLASSES.toAbsolutePath());
        return references;
    }

    private static Set<String> namesIn(ConstantPool pool) {
        Set<Integer> texts = new HashSet<>();
        for (PoolEntry entry : pool) {
            if (entry instanceof StringEntry text) {
                texts.add(text.utf8().index());
            }
        }
        Set<String> names = new TreeSet<>();
        for (PoolEntry entry : pool) {
            if (entry instanceof Utf8Entry utf8 && !texts.contains(utf8.index())) {
                CLASS_NAME.matcher(utf8.stringValue()).results().forEach(match -> names.add(match.group()));
            }
        }
        return names;
    }

    /** {@code internal/ffi} of {@code dev/fovea/internal/ffi/FoveaH}; empty for {@code dev/fovea/Engine}. */
    private static String packageOf(String className) {
        String name = className.substring("dev/fovea/".length());
        int end = name.lastIndexOf('/');
        return end < 0 ? "" : name.substring(0, end);
    }
}
