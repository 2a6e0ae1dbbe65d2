package dev.fovea.cli.attend;

import java.io.IOException;
import java.io.OutputStream;

/** What a picture is drawn on. Lengths are in pixels, from the top left corner; colours are 0xRRGGBB. */
interface Drawing {
    /** Where a text's given point is. */
    enum Anchor {
        START,
        END
    }

    /** The height of letters' lines. */
    int FONT_SIZE = 13;

    /** The width of a letter, of those that take one column of a terminal: fonts are of fixed width. */
    double LETTER_WIDTH = 0.61 * FONT_SIZE;

    /** Squares of {@code size}, one per colour [rows][columns], without gaps. */
    void cells(int x, int y, int size, int[][] colors);

    /** A line of text on a baseline that runs to the right. */
    void text(double x, double y, Anchor anchor, int color, String text);

    /** A line of text on a baseline that runs upwards from a point. */
    void upwardText(double x, double y, int color, String text);

    /** Writes what was drawn; leaves {@code out} open. */
    void write(OutputStream out) throws IOException;
}
