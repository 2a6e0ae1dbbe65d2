package dev.fovea.cli.attend;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TerminalMapTest {
    private static final List<String> TOKENS = List.of("[CLS]", "blue", "##ish", "森林");
    private static final AttentionMap MAP = new AttentionMap(TOKENS, TOKENS, new float[][] {
        {1, 0, 0, 0},
        {0.5f, 0.32f, 0.17f, 0.01f},
        {0, 0.5f, 0.125f, 0.375f},
        {0.25f, 0.25f, 0.25f, 0.25f}
    });

    @Test
    void shouldDrawWithCharacters() {
        assertEquals("""
                       [CLS]  blue ##ish  森林
                [CLS]  █████
                 blue  █████ ▓▓▓▓▓ ▒▒▒▒▒ ·····
                ##ish        █████ ▒▒▒▒▒ ▓▓▓▓▓
                 森林  ▓▓▓▓▓ ▓▓▓▓▓ ▓▓▓▓▓ ▓▓▓▓▓

                From  ·· 0.005  ░░ 0.045  ▒▒ 0.125  ▓▓ 0.245  ██ 0.405

                Strongest links
                [CLS] →                                       special tokens 1.000
                 blue → blue 0.320, ##ish 0.170, 森林 0.010   special tokens 0.500
                ##ish → blue 0.500, 森林 0.375, ##ish 0.125   special tokens 0.000
                 森林 → blue 0.250, ##ish 0.250, 森林 0.250   special tokens 0.250
                """, TerminalMap.draw(MAP, 80, false));
    }

    @Test
    void shouldWriteHeadingsDownwardsWhereRoomIsShort() {
        assertEquals("""
                        [       #
                        C   b   #
                        L   l   i
                        S   u   s  森
                        ]   e   h  林
                [CLS]  ███
                """, TerminalMap.draw(MAP, 24, false).lines().limit(6).reduce("", (all, line) -> all + line + "\n"));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldStayWithinTheColumns(boolean color) {
        Attention attention = Patterns.of(1, 1, "a", "fluffy", "extraordinarily", "verylongtokenindeed", "森林", "🦊");
        for (int columns : new int[] {33, 34, 40, 60, 80, 120}) {
            String drawn = TerminalMap.draw(attention.map(new Choice(1, 1)), columns, color);
            drawn.lines().takeWhile(line -> !line.startsWith("Strongest")).forEach(line -> assertTrue(
                    Tokens.columns(line.replaceAll("\u001b\\[[0-9;]*m", "")) <= columns, line));
        }
    }

    @Test
    void shouldColourCellsAndGivePercent() {
        String drawn = TerminalMap.draw(MAP, 24, true);
        assertTrue(drawn.contains("\u001b[48;5;160;38;5;231m100 \u001b[0m"), drawn);
        assertTrue(drawn.contains("m 32 \u001b[0m"), drawn);
        assertTrue(drawn.contains("Cells in percent; from"), drawn);
    }

    @Test
    void shouldGiveLinksAloneWhereAMapDoesNotFit() {
        String drawn = TerminalMap.draw(Patterns.ofLength(1, 1, 512).map(new Choice(1, 1)), 80, false);
        assertTrue(drawn.startsWith("512 tokens need 1034 columns for a map, but the terminal has 80; "
                        + "--out map.html shows"),
                drawn.lines().findFirst().orElse(""));
        assertFalse(drawn.contains("█"));
        assertEquals(512, drawn.lines().filter(line -> line.contains(" → ")).count());
    }

    @Test
    void shouldShowNoControlCharacters() {
        String drawn = TerminalMap.draw(Patterns.of(1, 1, "\u001b[2J", "\u202ex").map(new Choice(1, 1)), 80, false);
        assertFalse(drawn.contains("\u001b") || drawn.contains("\u202e"), drawn);
    }
}
