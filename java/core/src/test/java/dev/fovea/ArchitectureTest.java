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
 * Dependencies point one way: model → graph → attention → kernels → ffi. Read from the constant pools of the
 * compiled classes, so neither a qualified name nor a signature slips through.
 */
class ArchitectureTest {
    private static final Path SOURCES = Path.of("src", "main", "java");
    private static final Path CLASSES = Path.of("target", "classes");
    private static final Pattern CLASS_NAME = Pattern.compile("dev/fovea/[\\w/$]+");

    /** The vocabulary that graph and kernels share. */
    private static final Set<String> SHARED = Set.of("dev/fovea/graph/Activation", "dev/fovea/graph/Pooling");

    /** Package → the packages that it may not know. */
    private static final Map<String, List<String>> FORBIDDEN = Map.of(
            "tensor", List.of("graph", "model", "text", "weights", "internal/kernels", "internal/natives"),
            "attention", List.of("graph", "model", "text", "weights", "internal/natives", "internal/ffi"),
            "text", List.of("graph", "model", "internal/kernels", "internal/natives"),
            "weights", List.of("graph", "model", "text", "internal/kernels", "internal/natives"),
            "graph", List.of("model", "text", "weights", "internal/natives"),
            "internal/kernels", List.of("graph", "model", "text", "weights"),
            "internal/natives", List.of("graph", "model", "text", "weights", "tensor", "internal/kernels"),
            "internal/cache", List.of("graph", "model", "text", "weights", "tensor", "internal/kernels"));

    @Test
    void shouldTouchBindingsOnlyInKernels() throws IOException {
        Set<String> users = new TreeSet<>();
        references().forEach((name, referenced) -> {
            if (referenced.stream().anyMatch(other -> packageOf(other).equals("internal/ffi"))) {
                users.add(packageOf(name));
            }
        });
        users.removeAll(Set.of("internal/ffi", "internal/kernels"));
        assertEquals(Set.of(), users);
    }

    @Test
    void shouldKeepBindingsFreeOfTheRest() throws IOException {
        references().forEach((name, referenced) -> {
            if (packageOf(name).equals("internal/ffi")) {
                assertEquals(Set.of("internal/ffi"),
                        referenced.stream().map(ArchitectureTest::packageOf).collect(Collectors.toSet()), name);
            }
        });
    }

    @Test
    void shouldPointOneWay() throws IOException {
        Set<String> violations = new TreeSet<>();
        references().forEach((name, referenced) -> {
            List<String> forbidden = FORBIDDEN.getOrDefault(packageOf(name), List.of());
            for (String other : referenced) {
                if (forbidden.contains(packageOf(other)) && !SHARED.contains(topLevel(other))) {
                    violations.add(name + " → " + other);
                }
            }
        });
        assertEquals(Set.of(), violations);
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

    private static String topLevel(String className) {
        int nested = className.indexOf('$');
        return nested < 0 ? className : className.substring(0, nested);
    }
}
