package dev.fovea.internal.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PatternTest {
    private static List<String> find(Pattern pattern, String text) {
        Characters characters = new Characters();
        characters.read(text, false);
        Matches matches = new Matches();
        PatternMatcher matcher = new PatternMatcher();
        matcher.allow(characters.size);
        matcher.find(pattern, characters, 0, characters.size, matches);
        List<String> found = new ArrayList<>();
        for (int i = 0; i < matches.size(); i++) {
            if (matches.isMatch(i)) {
                found.add(new String(characters.codes, matches.from(i), matches.to(i) - matches.from(i)));
            }
        }
        return found;
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '"', value = {
        "a+                  ; baaab    ; aaa",
        "a+?                 ; baaab    ; a,a,a",
        "a++a|b              ; aaab     ; b",
        "(?:ab)+             ; ababcab  ; abab,ab",
        "(?>a|ab)c           ; abcac    ; ac",
        "a{2}                ; aaaaa    ; aa,aa",
        "a{2,}               ; aaaaab   ; aaaaa",
        "a{,2}b              ; aaab     ; aab",
        "x{y                 ; x{y      ; x{y",
        "(?<=a)b             ; abcb     ; b",
        "(?<!a)b|c(?=d)      ; abcbcd   ; b,c",
        "[^a-cx]             ; abcdx    ; d",
        "[a\\-z]+            ; a-zb     ; a-z",
        "(?i:Sa?t)           ; sT       ; sT",
        "\\p{Lu}\\P{L}       ; A1bC     ; A1",
        "[\\p{^Lu}]          ; Ab       ; b",
        "\\x41\\u0042\\x{43} ; ABC      ; ABC",
        "a|b|c               ; cab      ; c,a,b",
        "\\bb\\w*            ; ab bc    ; bc",
    })
    void shouldMatch(String regex, String text, String expected) {
        assertEquals(List.of(expected.split(",")), find(Pattern.compile(regex), text));
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", ")", "[", "[a", "a**", "(a*)*", "*", "\\", "\\p{Lx}", "\\p{L", "(?<name>a)", "(?=a",
        "\\1", "(?m:a)", "a{3,1}", "a{2000}", "[z-a]", "[a&&b]", "[[:alpha:]]", "(?<=a*)b", "\\x{110000}", "\\k<a>",
        "(?i:ss)", "(?i:\u00e4)", "(?i:\\p{Lu})", "((((a{1000}){1000}){1000}){1000}){1000}"})
    void shouldRefuseWhatItDoesNotKnow(String regex) {
        String message = assertThrows(IllegalArgumentException.class, () -> Pattern.compile(regex)).getMessage();
        assertTrue(message.contains("not supported"), message);
    }

    @Test
    void shouldRefuseDeepNesting() {
        for (String open : new String[] {"(", "[", "(?=", "(?:"}) {
            assertThrows(IllegalArgumentException.class, () -> Pattern.compile(open.repeat(2000)));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"(?:a+)+b", "(?:a|aa)+b", "(?:a?){1}a*(?:a*){1}a*a*a*b", "(?:(?:a|a)(?:a|a))+c"})
    @Timeout(60)
    void shouldEndWithAnErrorWhenItRunsAway(String regex) {
        Pattern pattern = Pattern.compile(regex);
        String message = assertThrows(IllegalArgumentException.class, () -> find(pattern, "a".repeat(5000))).getMessage();
        assertTrue(message.contains("steps") && message.contains(regex), message);
    }

    @Test
    void shouldEndWithAnErrorWhenItHasTooManyPlacesToGoBackTo() {
        Pattern pattern = Pattern.compile("(?:a" + "(?:|b)".repeat(300) + ")+c");
        String text = "a".repeat(60_000);
        String message = assertThrows(IllegalArgumentException.class, () -> find(pattern, text)).getMessage();
        assertTrue(message.contains("16777216 places"), message);
    }

    @Test
    void shouldLookAScriptUpOnce() {
        assertSame(Scripts.of(Character.UnicodeScript.HAN), Scripts.of(Character.UnicodeScript.HAN));
    }

    @Test
    @Timeout(60)
    void shouldMatchLongRuns() {
        Pattern words = Pattern.compile("\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+|\\S+");
        assertEquals(2, find(words, " ".repeat(1_000_000) + "a").size() - 1);
    }
}
