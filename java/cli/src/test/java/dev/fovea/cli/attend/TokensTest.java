package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class TokensTest {
    @Test
    void shouldCountColumns() {
        assertEquals(5, Tokens.columns("##ing"));
        assertEquals(4, Tokens.columns("森林"));
        assertEquals(2, Tokens.columns("🦊"));
        assertEquals(1, Tokens.columns("e\u0301"));
    }

    @Test
    void shouldCutToColumns() {
        assertEquals("creature", Tokens.cut("creature", 8));
        assertEquals("creatu…", Tokens.cut("creature", 7));
        assertEquals("森林…", Tokens.cut("森林森林", 6));
        assertEquals("森…", Tokens.cut("森林森林", 4));
    }

    @Test
    void shouldPadToColumns() {
        assertEquals("  森", Tokens.pad("森", 4, true));
        assertEquals("a   ", Tokens.pad("a", 4, false));
        assertEquals("森林", Tokens.pad("森林", 2, true));
    }

    @Test
    void shouldShowWhatControls() {
        assertEquals("U+001B[31m", Tokens.visible("\u001b[31m"));
        assertEquals("aU+202Eb", Tokens.visible("a\u202eb"));
        assertEquals("<a> & é", Tokens.visible("<a> & é"));
    }
}
