package dev.fovea.bench.report;

import dev.fovea.bench.run.Circumstances;
import dev.fovea.bench.run.JobRecord;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Makes the report of a run. */
public final class Report {
    private static final int WIDE = 760;

    private final Circumstances circumstances;
    private final String command;
    private final List<SuiteResults> suites = new ArrayList<>();
    private final Map<String, String> failures;

    /**
     * @param command what makes these results
     * @param records what the finished jobs found
     * @param failures the jobs that failed, with the reasons
     */
    public Report(Circumstances circumstances, String command, Map<Suite, List<JobRecord>> records,
            Map<String, String> failures) {
        this.circumstances = circumstances;
        this.command = command;
        this.failures = failures;
        records.forEach((suite, ofSuite) -> suites.add(new SuiteResults(suite, ofSuite)));
    }

    /**
     * Writes {@code report.html}, {@code report.md} and {@code SUITE-NUMBER.svg} for each plot.
     *
     * @return the page
     */
    public Path write(Path directory) throws IOException {
        Page page = new Page(circumstances, command, failures, suites);
        Markdown markdown = new Markdown(circumstances, command);
        for (SuiteResults suite : suites) {
            List<Plot> plots = new ArrayList<>();
            for (Figure figure : suite.suite().figures()) {
                Plot plot = Plot.of(figure, suite);
                if (plot != null) {
                    plots.add(plot);
                    String file = suite.suite().name() + "-" + plots.size() + ".svg";
                    write(directory.resolve(file), plot.svg(figure.title(), WIDE));
                }
            }
            List<Grid> grids = new ArrayList<>();
            for (Table table : suite.suite().tables()) {
                Grid grid = Grid.of(table, suite);
                if (!grid.rows().isEmpty()) {
                    grids.add(grid);
                }
            }
            page.add(suite, plots, grids);
            markdown.add(suite, grids);
        }
        write(directory.resolve("report.md"), markdown.text());
        Path html = directory.resolve("report.html");
        write(html, page.text());
        return html;
    }

    private static void write(Path file, String text) throws IOException {
        Path beside = file.resolveSibling("." + file.getFileName() + ".part");
        Files.writeString(beside, text);
        Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
    }
}
