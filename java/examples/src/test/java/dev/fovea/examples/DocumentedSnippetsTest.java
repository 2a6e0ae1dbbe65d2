package dev.fovea.examples;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java in the pages of docs/ is lines of the tour, which is compiled and run. */
class DocumentedSnippetsTest {
    private static final Path TOUR = Path.of("src/main/java/dev/fovea/examples/TransformerTour.java");
    private static final Path DOCS = Path.of("../../docs");

    @ParameterizedTest
    @ValueSource(strings = {"transformer.md", "transformer.zh.md"})
    void shouldShowLinesThatRun(String page) throws IOException {
        String tour = stripped(Files.readAllLines(TOUR));
        List<String> snippets = snippets(Files.readAllLines(DOCS.resolve(page)));
        assertFalse(snippets.isEmpty());
        for (String snippet : snippets) {
            assertTrue(tour.contains(snippet), () -> page + " shows what is not in " + TOUR + ":\n" + snippet);
        }
    }

    private static List<String> snippets(List<String> page) {
        List<String> snippets = new ArrayList<>();
        List<String> open = null;
        for (String line : page) {
            if (line.equals("```java")) {
                open = new ArrayList<>();
            } else if (line.equals("```") && open != null) {
                snippets.add(stripped(open));
                open = null;
            } else if (open != null) {
                open.add(line);
            }
        }
        return snippets;
    }

    private static String stripped(List<String> lines) {
        return lines.stream().map(String::strip).collect(Collectors.joining("\n", "\n", "\n"));
    }
}
