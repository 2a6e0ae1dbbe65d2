package dev.fovea.bench.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {
    private static final Progress.Position POSITION = new Progress.Position("attention n128", 3, 12, 50, 10, 140);

    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void shouldSayHowFarItIs() {
        assertEquals("[######..................]  25%  3 of 12  3 min left  attention n128", POSITION.bar(0));
        assertEquals("[#######.................]  30%  3 of 12  2 min left  attention n128", POSITION.bar(10.5));
        assertEquals("3 of 12, about 3 min left: attention n128", POSITION.line());
    }

    @Test
    void shouldNeverPassTheEnd() {
        Progress.Position last = new Progress.Position("load rate4", 12, 12, 190, 10, 0);
        assertEquals("[#######################.]  99%  12 of 12  1 s left  load rate4", last.bar(500));
    }

    @Test
    void shouldWriteALinePerJobWhereThereIsNoTerminal() {
        try (Progress progress = new Progress(stream(), false)) {
            progress.begin(POSITION);
            progress.say("a word");
        }
        assertEquals("fovea: 3 of 12, about 3 min left: attention n128\nfovea: a word\n", written());
    }

    @Test
    void shouldDrawOnATerminalAndLeaveNothingBehind() throws InterruptedException {
        try (Progress progress = new Progress(stream(), true)) {
            progress.begin(POSITION);
            for (int i = 0; i < 10_000 && written().isEmpty(); i++) {
                Thread.sleep(5);
            }
        }
        assertTrue(written().startsWith("\r\u001b[K["), written());
        assertTrue(written().endsWith("\r\u001b[K"), written());
    }

    @Test
    void shouldCorrectTheWordOfTheJobsByWhatTheyTook() {
        TimeLeft timeLeft = new TimeLeft();
        assertEquals(60, timeLeft.expected("attention", 60));
        timeLeft.finished("attention", 1000, 2000);
        assertEquals(2 * 60, timeLeft.expected("attention", 60), 2);
        assertEquals(2 * 60, timeLeft.expected("linear", 60), 2);
        timeLeft.finished("linear", 1000, 500);
        assertEquals(0.5 * 60, timeLeft.expected("linear", 60), 2);
    }

    @Test
    void shouldRoundTimesForPeople() {
        assertEquals("0 s", TimeLeft.words(0));
        assertEquals("89 s", TimeLeft.words(89));
        assertEquals("2 min", TimeLeft.words(90));
        assertEquals("1 h 5 min", TimeLeft.words(3900));
    }

    private PrintStream stream() {
        return new PrintStream(err, true, StandardCharsets.UTF_8);
    }

    private String written() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
