package dev.fovea.cli.attend;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** Draws SVG. Cells of one colour are one path, of a rectangle per run, so that large maps stay small files. */
final class SvgDrawing implements Drawing {
    private final StringBuilder svg = new StringBuilder();

    SvgDrawing(int width, int height, int paper, String title) {
        svg.append("""
                <svg xmlns="http://www.w3.org/2000/svg" width="%1$d" height="%2$d" viewBox="0 0 %1$d %2$d" \
                role="img" font-family="ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace" \
                font-size="%3$d">
                <title>%4$s</title>
                <rect width="%1$d" height="%2$d" fill="%5$s"/>
                """.formatted(width, height, FONT_SIZE, escape(title), hex(paper)));
    }

    @Override
    public void cells(int x, int y, int size, int[][] colors) {
        Map<Integer, StringBuilder> paths = new TreeMap<>();
        for (int row = 0; row < colors.length; row++) {
            int end;
            for (int start = 0; start < colors[row].length; start = end) {
                int color = colors[row][start];
                end = start + 1;
                while (end < colors[row].length && colors[row][end] == color) {
                    end++;
                }
                paths.computeIfAbsent(color, _ -> new StringBuilder())
                        .append('M').append(start).append(' ').append(row).append('h').append(end - start)
                        .append("v1h").append(start - end).append('z');
            }
        }
        svg.append("<g transform=\"translate(%d %d) scale(%d)\" shape-rendering=\"crispEdges\">\n"
                .formatted(x, y, size));
        paths.forEach((color, path) -> svg.append("<path fill=\"").append(hex(color)).append("\" d=\"").append(path)
                .append("\"/>\n"));
        svg.append("</g>\n");
    }

    @Override
    public void text(double x, double y, Anchor anchor, int color, String text) {
        svg.append(String.format(Locale.ROOT,
                "<text x=\"%.1f\" y=\"%.1f\" fill=\"%s\"%s xml:space=\"preserve\">%s</text>\n",
                x, y, hex(color), anchor == Anchor.END ? " text-anchor=\"end\"" : "", escape(text)));
    }

    @Override
    public void upwardText(double x, double y, int color, String text) {
        svg.append(String.format(Locale.ROOT,
                "<text transform=\"translate(%.1f %.1f) rotate(-90)\" fill=\"%s\">%s</text>\n",
                x, y, hex(color), escape(text)));
    }

    @Override
    public void write(OutputStream out) throws IOException {
        out.write((svg + "</svg>\n").getBytes(StandardCharsets.UTF_8));
    }

    private static String hex(int color) {
        return String.format(Locale.ROOT, "#%06x", color);
    }

    private static String escape(String text) {
        return Tokens.visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
    }
}
