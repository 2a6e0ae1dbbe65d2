package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.bench.run.BenchRun;
import dev.fovea.bench.run.FakeSuite;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Looks at the marks of the first side, in its colour, and at those of all sides. */
class PlotTest {
    /** A filled rectangle: Lets-Plot draws points in hexadecimal colours, other shapes in rgb(). */
    private static final Pattern BAR = Pattern.compile("<rect [^>]*fill=\"rgb\\((?!255,255,255)[^>]*>");

    private static final Pattern POINT = Pattern.compile("<circle fill=\"#d55e00\"");
    private static final Pattern RANGE = Pattern.compile("<line [^>]*stroke=\"rgb\\(213,94,0\\)\"");

    @TempDir
    private static Path directory;

    @BeforeAll
    static void makeReport() {
        assertEquals(0, BenchRun.of(List.of(new FakeSuite("fake", _ -> {})), "--out", directory.toString()).status());
    }

    @Test
    void shouldDrawPointsWithTheirRangeWhenTheAxisIsLogarithmic() throws IOException {
        String groups = svg(4);
        assertEquals(0, count(BAR, groups));
        // Two groups, and the legend.
        assertEquals(2 + 1, count(POINT, groups));
        assertEquals(2, count(RANGE, groups));
    }

    @Test
    void shouldDrawPointsWhenALogarithmicLineHasOnePlace() throws IOException {
        String single = svg(3);
        assertEquals(0, count(BAR, single));
        assertEquals(1 + 1, count(POINT, single));
    }

    @Test
    void shouldDrawBarsWhenTheAxisBeginsAtZero() throws IOException {
        String groups = svg(5);
        // Two groups of three sides, and the legend.
        assertEquals(2 * 3 + 3, count(BAR, groups));
        assertEquals(0, count(POINT, groups));
    }

    private static String svg(int number) throws IOException {
        return Files.readString(directory.resolve("fake-" + number + ".svg"));
    }

    private static long count(Pattern pattern, String svg) {
        return pattern.matcher(svg).results().count();
    }
}
