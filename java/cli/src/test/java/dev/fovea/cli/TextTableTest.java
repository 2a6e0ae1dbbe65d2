package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.cli.TextTable.Align;
import org.junit.jupiter.api.Test;

class TextTableTest {
    @Test
    void shouldAlignColumns() {
        TextTable table = new TextTable(Align.RIGHT, Align.LEFT, Align.LEFT);
        table.row("1.", "größer", "a").row("10.", "b", "");
        assertEquals(" 1.  größer  a\n10.  b\n", table.toString());
    }

    @Test
    void shouldKeepARowOnItsLine() {
        assertEquals("a\\n\\tb\\u001b[2J\n", new TextTable(Align.LEFT).row("a\n\tb\u001b[2J").toString());
    }
}
