package dev.fovea.cli.attend;

import dev.fovea.cli.attend.Drawing.Anchor;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.Locale;

/**
 * A map as a picture: tokens on both sides, a square per weight, what a colour stands for. The same as SVG and as PNG.
 *
 * <pre>
 *        text
 *        layer and head
 *                      k  e  y  s
 *               queries  cells
 *        0 ▒▒▒▒ scale
 * </pre>
 */
public final class Picture {
    private static final int PAPER = 0xFFFFFF;
    private static final int INK = 0x1B1F24;
    private static final int FAINT = 0x5C6670;

    /** From nothing to the scale's end; steps between are mixed. */
    private static final int[] HEAT = {0xF7F9FB, 0xC6DBEF, 0x6BAED6, 0x2171B5, 0x08306B};

    /** So few colours that cells of a large map form runs, and too many to see their steps. */
    private static final int STEPS = 64;

    private static final int MARGIN = 16;
    private static final int LINE = 20;
    private static final int GAP = 6;
    private static final int LABEL_COLUMNS = 20;
    private static final int LARGEST_CELL = 28;
    private static final int MAP_SIZE = 1536;
    private static final int LEAST_WIDTH = 620;
    private static final int BAR_CELL = 4;

    private final AttentionMap map;
    private final float scale;
    private final String title;
    private final String subtitle;
    private final int cell;
    private final int left;
    private final int top;
    private final int width;
    private final int height;

    /** A picture of the choice {@code choice} of {@code attention}. */
    public Picture(Attention attention, Choice choice) {
        map = attention.map(choice);
        scale = map.scale();
        int most = Math.max(map.queries().size(), map.keys().size());
        cell = Math.clamp(MAP_SIZE / Math.max(1, most), 1, LARGEST_CELL);
        left = MARGIN + labelLength(map.queries()) + GAP;
        top = MARGIN + 2 * LINE + labelLength(map.keys()) + GAP;
        width = Math.max(LEAST_WIDTH, left + cell * map.keys().size() + MARGIN);
        height = top + cell * map.queries().size() + 2 * LINE + GAP;
        title = cut(attention.text());
        subtitle = cut(attention.model() + ", " + choice.describe(attention.layers(), attention.heads())
                + "; rows attend to columns");
    }

    /** Writes SVG; leaves {@code out} open. */
    public void writeSvg(OutputStream out) throws IOException {
        draw(new SvgDrawing(width, height, PAPER, title + ": " + subtitle)).write(out);
    }

    /**
     * Writes PNG; leaves {@code out} open.
     *
     * @throws IOException also if the system has no fonts to draw with
     */
    public void writePng(OutputStream out) throws IOException {
        draw(new PngDrawing(width, height, PAPER)).write(out);
    }

    /** As much of a text as fits into a line. */
    private String cut(String text) {
        return Tokens.cut(Tokens.visible(text), (int) ((width - 2 * MARGIN) / Drawing.LETTER_WIDTH));
    }

    private Drawing draw(Drawing drawing) {
        drawing.text(MARGIN, MARGIN + Drawing.FONT_SIZE, Anchor.START, INK, title);
        drawing.text(MARGIN, MARGIN + LINE + Drawing.FONT_SIZE, Anchor.START, FAINT, subtitle);
        int step = Math.ceilDiv(Drawing.FONT_SIZE + 1, cell);
        for (int query = 0; query < map.queries().size(); query += step) {
            drawing.text(left - GAP, middle(top, query), Anchor.END, color(map.queries().get(query)),
                    label(map.queries().get(query)));
        }
        for (int key = 0; key < map.keys().size(); key += step) {
            drawing.upwardText(middle(left, key), top - GAP, color(map.keys().get(key)), label(map.keys().get(key)));
        }
        int[][] colors = new int[map.queries().size()][map.keys().size()];
        for (int query = 0; query < colors.length; query++) {
            for (int key = 0; key < colors[query].length; key++) {
                colors[query][key] = heat(AttentionMap.strength(map.weights()[query][key], scale));
            }
        }
        drawing.cells(left, top, cell, colors);
        legend(drawing);
        return drawing;
    }

    private void legend(Drawing drawing) {
        int y = top + cell * map.queries().size() + LINE;
        int[][] bar = new int[2][STEPS];
        for (int[] row : bar) {
            for (int i = 0; i < STEPS; i++) {
                row[i] = heat(i / (STEPS - 1.0));
            }
        }
        double baseline = y + Drawing.FONT_SIZE - 3;
        drawing.text(MARGIN, baseline, Anchor.START, FAINT, "0");
        drawing.cells(MARGIN + 14, y, BAR_CELL, bar);
        drawing.text(MARGIN + 14 + STEPS * BAR_CELL + GAP, baseline, Anchor.START, FAINT,
                String.format(Locale.ROOT, "%.4f or more", scale));
    }

    /** The baseline of a label beside the cell {@code index}. */
    private double middle(int start, int index) {
        return start + (index + 0.5) * cell + 0.35 * Drawing.FONT_SIZE;
    }

    private static int heat(double strength) {
        double place = Math.round(strength * (STEPS - 1)) / (STEPS - 1.0) * (HEAT.length - 1);
        int index = Math.min((int) place, HEAT.length - 2);
        int color = 0;
        for (int shift = 16; shift >= 0; shift -= 8) {
            int from = HEAT[index] >> shift & 0xFF;
            int to = HEAT[index + 1] >> shift & 0xFF;
            color |= (int) Math.round(from + (place - index) * (to - from)) << shift;
        }
        return color;
    }

    private static int color(String token) {
        return Tokens.isSpecial(token) ? FAINT : INK;
    }

    private static String label(String token) {
        return Tokens.cut(Tokens.visible(token), LABEL_COLUMNS);
    }

    private static int labelLength(List<String> tokens) {
        int columns = tokens.stream().mapToInt(token -> Tokens.columns(label(token))).max().orElse(0);
        return (int) Math.ceil(columns * Drawing.LETTER_WIDTH);
    }
}
