package dev.fovea.cli;

import dev.fovea.internal.files.Excerpt;
import java.util.ArrayList;
import java.util.List;

/** Rows of cells in aligned columns, two spaces apart. */
final class TextTable {
    /** The side on which the cells of a column line up. */
    enum Align {
        LEFT,
        RIGHT
    }

    private static final String GAP = "  ";

    private final Align[] columns;
    private final List<String[]> rows = new ArrayList<>();

    /** A table of these columns. */
    TextTable(Align... columns) {
        this.columns = columns;
    }

    /** Adds a row, one cell per column. Control characters are shown as escapes. */
    TextTable row(String... cells) {
        String[] row = new String[columns.length];
        for (int i = 0; i < row.length; i++) {
            row[i] = Excerpt.visible(cells[i]);
        }
        rows.add(row);
        return this;
    }

    /** The rows, each with its line's end. */
    @Override
    public String toString() {
        int[] widths = new int[columns.length];
        for (String[] row : rows) {
            for (int i = 0; i < row.length; i++) {
                widths[i] = Math.max(widths[i], width(row[i]));
            }
        }
        StringBuilder text = new StringBuilder();
        for (String[] row : rows) {
            int start = text.length();
            for (int i = 0; i < row.length; i++) {
                String padding = " ".repeat(widths[i] - width(row[i]));
                text.append(i == 0 ? "" : GAP)
                        .append(columns[i] == Align.RIGHT ? padding + row[i] : row[i] + padding);
            }
            text.setLength(start + text.substring(start).stripTrailing().length());
            text.append('\n');
        }
        return text.toString();
    }

    private static int width(String cell) {
        return cell.codePointCount(0, cell.length());
    }
}
