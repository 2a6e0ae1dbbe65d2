package dev.fovea.cli.attend;

import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.OutputStream;
import javax.imageio.ImageIO;

/** Draws PNG by Java's own graphics, which need no display but the fonts of the system. */
final class PngDrawing implements Drawing {
    /** Pictures of fewer pixels are drawn at twice their size, for screens that are as fine as that. */
    private static final long MOST_PIXELS_DOUBLED = 4_000_000;

    private final BufferedImage image;
    private final Graphics2D graphics;

    PngDrawing(int width, int height, int paper) throws IOException {
        int scale = (long) width * height <= MOST_PIXELS_DOUBLED ? 2 : 1;
        // Before the first use of graphics, which would else look for a display, and need libraries for it.
        System.setProperty("java.awt.headless", "true");
        try {
            image = new BufferedImage(scale * width, scale * height, BufferedImage.TYPE_INT_RGB);
            graphics = image.createGraphics();
            graphics.setFont(new Font(Font.MONOSPACED, Font.PLAIN, FONT_SIZE));
            graphics.getFontMetrics();
        } catch (LinkageError | InternalError | RuntimeException e) {
            throw new IOException("PNG needs fonts on this machine (Debian: apt install fontconfig fonts-dejavu-core);"
                    + " SVG does not: " + e.getMessage(), e);
        }
        graphics.scale(scale, scale);
        graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
        graphics.setRenderingHint(RenderingHints.KEY_FRACTIONALMETRICS, RenderingHints.VALUE_FRACTIONALMETRICS_ON);
        graphics.setColor(new Color(paper));
        graphics.fillRect(0, 0, width, height);
    }

    @Override
    public void cells(int x, int y, int size, int[][] colors) {
        for (int row = 0; row < colors.length; row++) {
            for (int column = 0; column < colors[row].length; column++) {
                graphics.setColor(new Color(colors[row][column]));
                graphics.fillRect(x + column * size, y + row * size, size, size);
            }
        }
    }

    @Override
    public void text(double x, double y, Anchor anchor, int color, String text) {
        String visible = Tokens.visible(text);
        graphics.setColor(new Color(color));
        double width = graphics.getFontMetrics().getStringBounds(visible, graphics).getWidth();
        graphics.drawString(visible, (float) (anchor == Anchor.END ? x - width : x), (float) y);
    }

    @Override
    public void upwardText(double x, double y, int color, String text) {
        AffineTransform upright = graphics.getTransform();
        graphics.translate(x, y);
        graphics.rotate(-Math.PI / 2);
        text(0, 0, Anchor.START, color, text);
        graphics.setTransform(upright);
    }

    @Override
    public void write(OutputStream out) throws IOException {
        graphics.dispose();
        ImageIO.setUseCache(false);
        if (!ImageIO.write(image, "png", out)) {
            throw new IOException("this JDK cannot write PNG");
        }
    }
}
