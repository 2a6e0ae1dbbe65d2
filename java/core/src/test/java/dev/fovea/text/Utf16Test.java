package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class Utf16Test {
    @Test
    void shouldReturnTextItselfWhenAllSurrogatesArePaired() {
        for (String text : new String[] {"", "plain", "😀", "a😀b😀", "\uFFFD\uE000\uD7FF"}) {
            assertTrue(Utf16.isWellFormed(text));
            assertSame(text, Utf16.wellFormed(text));
        }
    }

    @Test
    void shouldReplaceEachSurrogateWithoutPartner() {
        assertReplaced("\uFFFD", "\uD800");
        assertReplaced("\uFFFD", "\uDC00");
        assertReplaced("\uFFFD\uFFFD", "\uDC00\uD800");
        assertReplaced("\uFFFD😀", "\uD83D😀");
        assertReplaced("😀\uFFFDa", "😀\uDE00a");
        assertReplaced("a\uFFFDb😀c\uFFFD", "a\uD800b😀c\uDFFF");
    }

    private static void assertReplaced(String expected, String text) {
        assertFalse(Utf16.isWellFormed(text));
        assertEquals(expected, Utf16.wellFormed(text));
    }
}
