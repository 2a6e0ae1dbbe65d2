package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.google.gson.Gson;
import dev.fovea.bench.run.BenchRun;
import dev.fovea.bench.run.FakeSuite;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Opens a report in a browser, and measures what it lays out. */
class BrowserTest {
    private static final int SECONDS = 60;

    /** Measures the page within a frame, since a window has a least width. Text is in user space: corners decide. */
    private static final String FRAME = """
            <!DOCTYPE html><body style="margin:0">
            <iframe id="frame" style="border:0;width:%dpx;height:900px" src="report.html"></iframe>
            <pre id="found"></pre>
            <script>
            const overlap = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 2;
            document.getElementById("frame").onload = event => {
              const page = event.target.contentDocument;
              const shown = element => element.getBoundingClientRect().width > 0;
              const found = {
                width: page.documentElement.clientWidth, scrollWidth: page.documentElement.scrollWidth,
                plots: [], tables: [], clipped: [], overlapping: [], outside: [], requests: 0 };
              for (const svg of [...page.querySelectorAll("figure svg")].filter(shown)) {
                const box = svg.getBoundingClientRect();
                const texts = [...svg.querySelectorAll("text")].filter(shown);
                found.plots.push({
                  section: svg.closest("section").id, width: Math.round(box.width), texts: texts.length,
                  marks: svg.querySelectorAll("path, circle, rect, line").length });
                texts.forEach((text, i) => {
                  const own = text.getBoundingClientRect();
                  if (own.left < box.left - 1 || own.right > box.right + 1
                      || own.top < box.top - 1 || own.bottom > box.bottom + 1) {
                    found.clipped.push(text.textContent);
                  }
                  texts.slice(i + 1).filter(other => overlap(own, other.getBoundingClientRect()))
                      .forEach(other => found.overlapping.push(text.textContent + " / " + other.textContent));
                });
              }
              for (const table of [...page.querySelectorAll("table")].filter(shown)) {
                const scroll = table.parentElement;
                const box = scroll.getBoundingClientRect();
                found.tables.push({
                  section: table.closest("section").id, columns: table.tHead.rows[0].cells.length,
                  rows: table.tBodies[0].rows.length });
                if (box.right > found.width || page.defaultView.getComputedStyle(scroll).overflowX !== "auto") {
                  found.outside.push(table.textContent);
                }
              }
              found.requests = page.defaultView.performance.getEntriesByType("resource").length;
              document.getElementById("found").textContent = JSON.stringify(found);
            };
            </script>
            """;

    /** What the script measures. */
    private record Found(int width, int scrollWidth, List<Plot> plots, List<Table> tables, List<String> clipped,
            List<String> overlapping, List<String> outside, int requests) {
        private record Plot(String section, int width, int texts, int marks) {}

        private record Table(String section, int columns, int rows) {}
    }

    @TempDir
    private static Path directory;

    private static String browser;

    @BeforeAll
    static void makeReport() {
        browser = Stream.of("chromium", "chromium-browser", "google-chrome", "chrome")
                .flatMap(name -> Stream.of(System.getenv("PATH").split(File.pathSeparator))
                        .map(folder -> Path.of(folder, name)))
                .filter(Files::isExecutable)
                .map(Path::toString)
                .findFirst()
                .orElse(null);
        assumeTrue(browser != null, "no chromium or google-chrome on PATH");
        List<FakeSuite> suites = List.of(new FakeSuite("first", _ -> {}), new FakeSuite("second", _ -> {}));
        assertEquals(0, BenchRun.of(List.copyOf(suites), "--out", directory.toString()).status());
    }

    @ParameterizedTest
    @ValueSource(ints = {1280, 390})
    void shouldShowEveryPlotAndTable(int width) throws IOException, InterruptedException {
        Found found = open(width);
        for (String section : List.of("first", "second")) {
            List<Found.Plot> plots =
                    found.plots().stream().filter(plot -> plot.section().equals(section)).toList();
            assertEquals(5, plots.size(), section);
            for (Found.Plot plot : plots) {
                // Marks of both axes, two titles and a legend.
                assertTrue(plot.texts() >= 10 && plot.marks() >= 10, plot.toString());
                assertTrue(plot.width() >= 300 && plot.width() <= width, plot.toString());
            }
            assertEquals(List.of(new Found.Table(section, 8, 9), new Found.Table(section, 9, 18)),
                    found.tables().stream().filter(table -> table.section().equals(section)).toList());
        }
        assertEquals(10, found.plots().size());
        assertEquals(4, found.tables().size());
    }

    @ParameterizedTest
    @ValueSource(ints = {1280, 390})
    void shouldFitIntoTheWindow(int width) throws IOException, InterruptedException {
        Found found = open(width);
        assertTrue(found.width() > width - 20, "laid out for " + found.width());
        assertTrue(found.scrollWidth() <= found.width(), found.scrollWidth() + " wide in " + found.width());
        assertEquals(List.of(), found.clipped());
        assertEquals(List.of(), found.overlapping());
        assertEquals(List.of(), found.outside());
    }

    @Test
    void shouldNeedNothingBesideIt() throws IOException, InterruptedException {
        assertEquals(0, open(1280).requests());
        String page = Files.readString(directory.resolve("report.html"));
        assertFalse(page.contains("<script") || page.contains("@import") || page.contains("<link"));
    }

    private static Found open(int width) throws IOException, InterruptedException {
        Path frame = directory.resolve("frame-" + width + ".html");
        Files.writeString(frame, FRAME.formatted(width));
        Path dom = Files.createTempFile(directory, "dom", ".html");
        Process process = new ProcessBuilder(browser, "--headless", "--no-sandbox", "--disable-gpu",
                        "--allow-file-access-from-files", "--user-data-dir=" + directory.resolve("profile"),
                        "--window-size=1400,1000", "--virtual-time-budget=10000", "--dump-dom",
                        frame.toUri().toString())
                .redirectOutput(dom.toFile())
                .redirectError(directory.resolve("browser.log").toFile())
                .start();
        try {
            assertTrue(process.waitFor(SECONDS, TimeUnit.SECONDS), "the browser does not end");
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
        String text = Files.readString(dom);
        String start = "<pre id=\"found\">";
        String json = Optional.of(text.indexOf(start))
                .filter(i -> i >= 0)
                .map(i -> text.substring(i + start.length(), text.indexOf("</pre>", i)))
                .orElse("");
        assertFalse(json.isEmpty(), () -> "nothing measured: " + text);
        return new Gson().fromJson(json.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">"), Found.class);
    }
}
