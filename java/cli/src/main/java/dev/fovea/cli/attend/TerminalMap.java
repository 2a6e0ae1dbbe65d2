package dev.fovea.cli.attend;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A map of characters with tokens on both sides, and each token's strongest links. Cells are colours with the weight in
 * percent, or shades where there is no colour. Where the map does not fit, the links stand alone.
 */
public final class TerminalMap {
    private static final int ROW_LABEL_COLUMNS = 16;
    private static final int HEADING_LINES = 12;
    private static final int LEAST_CELL = 2;
    private static final int LINKS = 3;

    /** The columns of two spaces, two cells, a space and a number. */
    private static final int LEGEND_ENTRY = 10;

    private static final String[] SHADES = {" ", "·", "░", "▒", "▓", "█"};

    /** Of the 256 colours of a terminal, from cold to hot; the first is no colour, since nobody knows the paper. */
    private static final int[] HEAT = {-1, 24, 31, 37, 71, 143, 178, 172, 160};

    private static final int FIRST_HOT_WITH_DARK_DIGITS = 3;
    private static final int LAST_HOT_WITH_DARK_DIGITS = 7;

    private final AttentionMap map;
    private final float scale;
    private final int columns;
    private final boolean color;
    private final int label;
    private final StringBuilder out = new StringBuilder();

    private TerminalMap(AttentionMap map, int columns, boolean color) {
        this.map = map;
        this.scale = map.scale();
        this.columns = columns;
        this.color = color;
        this.label = map.queries().stream()
                .mapToInt(token -> Tokens.columns(rowLabel(token)))
                .max()
                .orElse(0);
    }

    /** Draws a map for a terminal of {@code columns} columns. */
    public static String draw(AttentionMap map, int columns, boolean color) {
        return new TerminalMap(map, columns, color).draw();
    }

    private String draw() {
        int cell = cell();
        if (cell >= LEAST_CELL) {
            headings(cell);
            rows(cell);
            legend();
        } else {
            out.append(map.keys().size() + " tokens need " + needed() + " columns for a map, but the terminal has "
                    + columns + "; --out map.html shows it.\n");
        }
        links();
        return out.toString();
    }

    /** The columns of a cell with its gap: enough for headings in one line, else for a number, else the least. */
    private int cell() {
        int room = (columns - label - 1) / map.keys().size();
        int widest = map.keys().stream().mapToInt(token -> Tokens.columns(rowLabel(token))).max().orElse(0) + 1;
        return room >= Math.max(widest, 4) ? Math.max(widest, 4) : Math.min(room, 4);
    }

    private int needed() {
        return label + 1 + LEAST_CELL * map.keys().size();
    }

    private void headings(int cell) {
        List<String> keys = map.keys().stream().map(TerminalMap::rowLabel).toList();
        if (keys.stream().allMatch(token -> Tokens.columns(token) < cell)) {
            line("", " " + keys.stream().map(token -> Tokens.pad(token, cell, true)).collect(Collectors.joining()));
            return;
        }
        List<List<String>> letters =
                map.keys().stream().map(token -> letters(Tokens.visible(token))).toList();
        int height = letters.stream().mapToInt(List::size).max().orElse(0);
        for (int y = 0; y < height; y++) {
            StringBuilder line = new StringBuilder(" ");
            for (List<String> token : letters) {
                int letter = y - height + token.size();
                // Over the middle of the cell.
                int column = cell > LEAST_CELL ? cell - 1 : cell;
                line.append(Tokens.pad(Tokens.pad(letter < 0 ? "" : token.get(letter), column, true), cell, false));
            }
            line("", line.toString());
        }
    }

    /** The characters of a token with their marks, the last an ellipsis where they are too many. */
    private static List<String> letters(String token) {
        List<String> letters = new ArrayList<>();
        token.codePoints().forEach(point -> {
            String letter = Character.toString(point);
            if (Tokens.columns(point) == 0 && !letters.isEmpty()) {
                letters.set(letters.size() - 1, letters.getLast() + letter);
            } else {
                letters.add(letter);
            }
        });
        if (letters.size() > HEADING_LINES) {
            letters.subList(HEADING_LINES - 1, letters.size()).clear();
            letters.add("…");
        }
        return letters;
    }

    private void rows(int cell) {
        for (int query = 0; query < map.queries().size(); query++) {
            StringBuilder line = new StringBuilder(" ");
            for (float weight : map.weights()[query]) {
                line.append(cell(weight, cell));
            }
            line(rowLabel(map.queries().get(query)), line.toString());
        }
    }

    private String cell(float weight, int cell) {
        if (!color) {
            // A gap separates columns; the narrowest cell has no room for one.
            int gap = cell > LEAST_CELL ? 1 : 0;
            return " ".repeat(gap) + SHADES[level(weight, SHADES.length)].repeat(cell - gap);
        }
        String digits = cell > LEAST_CELL ? String.format(Locale.ROOT, "%.0f", weight * 100) : "";
        return heat(level(weight, HEAT.length), Tokens.pad(digits, cell - 1, true) + " ");
    }

    private int level(float weight, int levels) {
        return (int) Math.round(AttentionMap.strength(weight, scale) * (levels - 1));
    }

    private static String heat(int level, String text) {
        if (HEAT[level] < 0) {
            return text;
        }
        boolean dark = level >= FIRST_HOT_WITH_DARK_DIGITS && level <= LAST_HOT_WITH_DARK_DIGITS;
        return "\u001b[48;5;" + HEAT[level] + ";38;5;" + (dark ? 16 : 231) + "m" + text + "\u001b[0m";
    }

    /** From which weight on a cell looks how, in as many lines as it takes. */
    private void legend() {
        int levels = color ? HEAT.length : SHADES.length;
        out.append(color ? "\nCells in percent; from" : "\nFrom");
        int used = color ? 22 : 4;
        for (int level = 1; level < levels; level++) {
            double root = (level - 0.5) / (levels - 1);
            String from = number(root * root * scale);
            if (used + LEGEND_ENTRY > columns) {
                out.append('\n');
                used = 0;
            }
            out.append("  ").append(color ? heat(level, "  ") : SHADES[level].repeat(2)).append(' ').append(from);
            used += LEGEND_ENTRY;
        }
        out.append('\n');
    }

    private void links() {
        List<String> links = IntStream.range(0, map.queries().size()).mapToObj(this::links).toList();
        int width = links.stream().mapToInt(Tokens::columns).max().orElse(0);
        boolean special = map.keys().stream().anyMatch(Tokens::isSpecial);
        out.append("\nStrongest links\n");
        for (int query = 0; query < links.size(); query++) {
            line(rowLabel(map.queries().get(query)), " → " + Tokens.pad(links.get(query), width, false)
                    + (special ? "   special tokens " + number(map.special(query)) : ""));
        }
    }

    private String links(int query) {
        return map.strongest(query, LINKS).stream()
                .map(key -> rowLabel(map.keys().get(key)) + " " + number(map.weights()[query][key]))
                .collect(Collectors.joining(", "));
    }

    private void line(String rowLabel, String rest) {
        out.append((Tokens.pad(rowLabel, label, true) + rest).stripTrailing()).append('\n');
    }

    private static String rowLabel(String token) {
        return Tokens.cut(Tokens.visible(token), ROW_LABEL_COLUMNS);
    }

    private static String number(double weight) {
        return String.format(Locale.ROOT, "%.3f", weight);
    }
}
