package dev.fovea.bench.report;

import dev.fovea.bench.run.Circumstances;
import java.util.ArrayList;
import java.util.List;

/** The tables as Markdown, for the documentation. */
final class Markdown {
    private final StringBuilder text = new StringBuilder();

    Markdown(Circumstances circumstances, String command) {
        line("Made by `" + command + "` on " + circumstances.machine().cpu() + ", " + circumstances.machine().cores()
                + " cores, " + circumstances.machine().os() + ", " + circumstances.jdk() + ".");
    }

    void add(SuiteResults results, List<Grid> grids) {
        line("");
        line("## " + results.suite().name() + ": " + results.suite().title());
        for (Grid grid : grids) {
            line("");
            line("### " + grid.table().title());
            line("");
            line(grid.legend() + ".");
            line("");
            row(join(grid.table().rows(), grid.sides()));
            line("|" + "---|".repeat(grid.table().rows().size()) + "---:|".repeat(grid.sides().size()));
            for (Grid.Row row : grid.rows()) {
                row(join(row.names(), row.cells().stream().map(Markdown::cell).toList()));
            }
        }
        if (!results.sides().isEmpty()) {
            line("");
        }
        for (String side : results.sides()) {
            line("- " + side + ": " + Page.about(results, side));
        }
        results.refusalsBySide().forEach((side, refusals) ->
                line("- " + side + " was not timed: " + Page.words(refusals)));
    }

    String text() {
        return text.toString();
    }

    private static String cell(Grid.Cell cell) {
        String value = cell.best() ? "**" + cell.value() + "**" : cell.value();
        return cell.ratio().isEmpty() ? value : value + " (" + cell.ratio() + ")";
    }

    private static List<String> join(List<String> names, List<String> cells) {
        List<String> joined = new ArrayList<>(names);
        joined.addAll(cells);
        return joined;
    }

    private void row(List<String> cells) {
        line("| " + String.join(" | ", cells.stream().map(cell -> cell.replace("|", "\\|")).toList()) + " |");
    }

    private void line(String line) {
        text.append(line).append('\n');
    }
}
