package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
    @Test
    void shouldSayHowFarItIs() {
        assertEquals("[######..................]  25%  1,000 texts  100/s  0:30 left",
                ProgressBar.line(250, 1000, 1000, "texts", 10));
        assertEquals("[........................]   0%  0 texts  0/s", ProgressBar.line(0, 1000, 0, "texts", 2));
        assertEquals("[########################] 100%  4 texts  2/s  0:00 left", ProgressBar.line(4, 4, 4, "texts", 2));
    }

    @Test
    void shouldCountMegabytes() {
        assertEquals("[############............]  50%  350 MB  35/s  0:10 left",
                ProgressBar.line(350_000_000, 700_000_000, 350, "MB", 10));
    }

    @Test
    void shouldCountWhereTheTotalIsUnknown() {
        assertEquals("12,345 texts  1235/s", ProgressBar.line(1 << 20, 0, 12_345, "texts", 10));
    }

    @Test
    void shouldDrawOnATerminalAndLeaveNothingBehind() throws InterruptedException {
        String drawn = drawn(Duration.ZERO, true);
        assertTrue(drawn.startsWith("\r\u001b[K["), drawn);
        assertTrue(drawn.endsWith("\r\u001b[K"), drawn);
    }

    @Test
    void shouldNotDrawElsewhereOrEarlier() throws InterruptedException {
        assertEquals("", drawn(Duration.ZERO, false));
        assertEquals("", drawn(Duration.ofDays(1), true));
    }

    private static String drawn(Duration patience, boolean terminal) throws InterruptedException {
        StringWriter err = new StringWriter();
        try (ProgressBar bar = new ProgressBar(new PrintWriter(err), 10, "texts", patience, () -> terminal)) {
            // Where something is to be drawn a busy host may take its time.
            int patient = terminal && patience.isZero() ? 10_000 : 100;
            for (int i = 0; i < patient && err.toString().isEmpty(); i++) {
                Thread.sleep(5);
            }
            bar.update(10, 10);
        }
        return err.toString();
    }
}
