package dev.fovea.bench.report;

import java.util.regex.Pattern;

/** What the library leaves to be done on its SVG. */
final class Svg {
    /** The colour of text, for which the page puts its own. */
    static final String INK = "#222222";

    /** The colour of grid lines, for which the page puts its own. */
    static final String GRID = "#E9E9E9";

    private static final Pattern BETWEEN = Pattern.compile(">\\s+<");
    private static final Pattern AROUND_TEXT = Pattern.compile("(<text[^>]*>|<tspan[^>]*>)\\s*([^<]*?)\\s*(?=<)");
    /** Styles of what these plots do not have, and what keeps text from being selected. */
    private static final Pattern UNUSED_RULES =
            Pattern.compile("#\\w+ \\.[\\w-]*(tooltip|facet|subtitle|caption)[\\w-]* \\{[^}]*}\\s*");
    private static final Pattern UNSELECTABLE = Pattern.compile("[\\w-]*user-select: none;\\s*");
    private static final Pattern HEAD = Pattern.compile("<svg [^>]*>");
    private static final Pattern STYLE = Pattern.compile("\\s*\\n\\s*");

    private Svg() {}

    /** Takes out white space and unused styles, and lets the drawing scale. */
    static String tidy(String svg, int width, int height) {
        String tidy = BETWEEN.matcher(svg).replaceAll("><");
        tidy = AROUND_TEXT.matcher(tidy).replaceAll("$1$2");
        tidy = UNUSED_RULES.matcher(tidy).replaceAll("");
        tidy = UNSELECTABLE.matcher(tidy).replaceAll("");
        tidy = STYLE.matcher(tidy).replaceAll(" ");
        String head = "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plt-container\" width=\"%d\" height=\"%d\" "
                + "viewBox=\"0 0 %d %d\">";
        return HEAD.matcher(tidy).replaceFirst(head.formatted(width, height, width, height));
    }
}
