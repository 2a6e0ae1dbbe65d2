package dev.fovea;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * The table of CONTRIBUTING.md is true and complete: the files that it lists for a kind of thing exist, and of all
 * production code they are the files that name the table's examples of that kind.
 */
class ContributingTest {
    private static final Path ROOT = Path.of("..", "..");
    private static final String LIBRARY = "java/core/src/main/java/dev/fovea/";
    private static final Pattern CODE = Pattern.compile("`([^`]+)`");

    /**
     * The rows of one kind of thing. Paths begin at the root; those of folders end with a slash.
     *
     * @param touched what each thing needs; {@code <op>} stands for its name
     * @param perhaps what some need
     */
    private record Kind(String name, List<String> touched, List<String> perhaps, Set<String> examples) {
        Kind(String name) {
            this(name, new ArrayList<>(), new ArrayList<>(), new TreeSet<>());
        }

        /** Adds the cells of a row. */
        void add(String files, String things) {
            String[] sides = files.split("perhaps", 2);
            touched.addAll(paths(sides[0]));
            perhaps.addAll(sides.length == 2 ? paths(sides[1]) : List.of());
            examples.addAll(code(things));
        }

        void requireFiles() {
            assertFalse(examples.isEmpty(), "no example of " + name);
            for (String example : examples) {
                Stream.concat(touched.stream(), perhaps.stream()).map(path -> path.replace("<op>", example))
                        .forEach(path -> assertTrue(Files.exists(ROOT.resolve(path)), path + " does not exist"));
            }
        }

        /** No example is named in a file that is not listed, and no file is listed that names none. */
        void requireExactly() throws IOException {
            Set<String> missing = new TreeSet<>();
            Set<String> needless = new TreeSet<>(touched);
            for (String example : examples) {
                for (String file : filesNaming(example)) {
                    needless.removeIf(path -> covers(path, example, file));
                    if (Stream.concat(touched.stream(), perhaps.stream()).noneMatch(p -> covers(p, example, file))) {
                        missing.add(file + " names " + example);
                    }
                }
            }
            assertEquals(Set.of(), missing, "the table does not list all files for " + name);
            assertEquals(Set.of(), needless, "the table lists files that name no example of " + name);
        }

        private static boolean covers(String path, String example, String file) {
            String expanded = path.replace("<op>", example);
            return expanded.endsWith("/") ? file.startsWith(expanded) : file.equals(expanded);
        }

        /** The text of a file; tables have none. */
        private static String content(String file) throws IOException {
            return file.endsWith(".bin") ? "" : Files.readString(ROOT.resolve(file));
        }

        private Set<String> filesNaming(String example) throws IOException {
            Pattern word = spellings(example);
            Set<String> parts = touched.stream().map(ContributingTest::part).collect(Collectors.toSet());
            Set<String> files = new TreeSet<>();
            for (String file : productionFiles()) {
                if (parts.contains(part(file)) && word.matcher(file + '\n' + content(file)).find()) {
                    files.add(file);
                }
            }
            return files;
        }
    }

    @Test
    void shouldKnowKindsOfThings() throws IOException {
        assertEquals(List.of("an op", "an activation", "a pooling", "a storage type of weights", "an instruction set",
                "a backend", "a weight file format", "a model family", "a named model", "a comparison suite"),
                kinds().map(Kind::name).toList());
    }

    @TestFactory
    Stream<DynamicTest> shouldListFilesThatExist() throws IOException {
        return kinds().map(kind -> DynamicTest.dynamicTest(kind.name(), kind::requireFiles));
    }

    @TestFactory
    Stream<DynamicTest> shouldListTheFilesThatNameExamples() throws IOException {
        return kinds().map(kind -> DynamicTest.dynamicTest(kind.name(), kind::requireExactly));
    }

    /** The table, of which rows whose first cells differ only behind a comma belong together. */
    private static Stream<Kind> kinds() throws IOException {
        Map<String, Kind> kinds = new LinkedHashMap<>();
        for (String line : Files.readAllLines(ROOT.resolve("CONTRIBUTING.md"))) {
            String[] cells = line.split("\\|");
            if (line.startsWith("| a") && cells.length == 4) {
                kinds.computeIfAbsent(cells[1].split(",")[0].strip(), Kind::new).add(cells[2], cells[3]);
            }
        }
        return kinds.values().stream();
    }

    private static List<String> code(String cell) {
        return CODE.matcher(cell).results().map(match -> match.group(1)).toList();
    }

    /** The paths in a cell. Other words in it, such as names of classes, are only for the reader. */
    private static List<String> paths(String cell) {
        return code(cell).stream().filter(word -> word.matches(".*(/|\\.[a-z]+)"))
                .map(path -> Files.exists(ROOT.resolve(part(path))) && path.contains("/") ? path : LIBRARY + path)
                .toList();
    }

    /** The folder of the root that a path is in. */
    private static String part(String path) {
        return path.split("/", 2)[0];
    }

    /** A name as it is and, of {@code rms_norm}, {@code rmsNorm} and {@code RmsNorm}; not as a part of longer words. */
    private static Pattern spellings(String name) {
        List<String> spellings = new ArrayList<>(List.of(Pattern.quote(name)));
        if (name.matches("[a-z]+(_[a-z]+)+")) {
            String[] words = name.split("_");
            spellings.add(Arrays.stream(words).map(ContributingTest::capital).collect(Collectors.joining()));
            spellings.add(words[0] + Arrays.stream(words).skip(1).map(ContributingTest::capital)
                    .collect(Collectors.joining()));
        }
        return Pattern.compile("(?<![A-Za-z])(" + String.join("|", spellings) + ")(?![a-z])");
    }

    private static String capital(String word) {
        return Character.toUpperCase(word.charAt(0)) + word.substring(1);
    }

    /** The sources of the C core, the library and the comparison studies, without tests and what is made of the sources. */
    private static List<String> productionFiles() throws IOException {
        List<String> production = new ArrayList<>(List.of("java/core/pom.xml", "bench/pom.xml"));
        for (String folder : List.of("native/include", "native/abi", "native/cmake", "native/src", "java/core/src/main",
                "bench/src/main")) {
            try (Stream<Path> files = Files.walk(ROOT.resolve(folder))) {
                files.filter(Files::isRegularFile).map(file -> ROOT.relativize(file).toString().replace('\\', '/'))
                        .filter(file -> !file.matches(".*_test\\.c(pp)?|.*/META-INF/native-image/.*"))
                        .forEach(production::add);
            }
        }
        return production;
    }
}
