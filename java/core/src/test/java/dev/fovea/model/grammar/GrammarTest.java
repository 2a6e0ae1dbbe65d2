package dev.fovea.model.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What formats match, without a vocabulary: as Java's regular expressions, by the rules of GBNF, and within bounds. */
class GrammarTest {
    /** Whether a text is one of a format. */
    static boolean matches(CompiledFormat format, String text) {
        return reads(format, text, true);
    }

    /** Whether a text may be the beginning of one. */
    private static boolean begins(CompiledFormat format, String text) {
        return reads(format, text, false);
    }

    private static boolean reads(CompiledFormat format, String text, boolean whole) {
        var recognizer = new Recognizer(format.automaton(), 16);
        recognizer.start();
        recognizer.resetWork();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            if (!recognizer.advance(b & 0xff)) {
                return false;
            }
        }
        return !whole || recognizer.canEnd();
    }

    private static List<String> texts(String alphabet, int length) {
        List<String> all = new ArrayList<>(List.of(""));
        for (int from = 0; from < all.size() && all.get(from).codePointCount(0, all.get(from).length()) < length; from++) {
            String text = all.get(from);
            alphabet.codePoints().forEach(c -> all.add(text + Character.toString(c)));
        }
        return all;
    }

    /** A space to some dialects, no space to others: what is written is right in all. */
    @Test
    void shouldCallNothingASpaceAndNoneWhereDialectsDiffer() {
        for (String regex : List.of("\\s", "\\S", "[\\s]", "[\\S]", "[^\\s]", "[^\\S]", "[^\\s\\S]")) {
            assertFalse(matches(CompiledFormat.ofRegex(regex + "|x"), "\u00a0"), regex);
        }
        assertTrue(matches(CompiledFormat.ofRegex("[^\\S]|[^\\s]"), " "));
        assertTrue(matches(CompiledFormat.ofRegex("[^\\S]|[^\\s]"), "a"));
        assertFalse(matches(CompiledFormat.ofRegex("[^\\s\\S]|x"), " "));
    }

    @Test
    void shouldRefuseHalfACharacter() {
        for (Runnable format : List.<Runnable>of(() -> CompiledFormat.ofChoice(List.of("a", "b\ud83d")),
                () -> CompiledFormat.ofGrammar("root ::= \"\ude00\""))) {
            String message = assertThrows(IllegalArgumentException.class, format::run).getMessage();
            assertTrue(message.contains("half of one, U+D"), message);
        }
        assertTrue(matches(CompiledFormat.ofChoice(List.of("\ud83d\ude00")), "\ud83d\ude00"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a*b", "(a|b)*a(a|b)", "(ab|a)(b?)+", "a{2,3}b{0,1}|é", "[^a]+", "[a-bé]{3}", ".é?", "(a|ab)(c|bcé)?", "(?:a+)+b", "^a|b$",
        "((a?){3}){2}", "a{0}b", "(|a)b", "[\\x61\\u00e9]*", "\\u{1F600}?a", "[^\\W]b", "\\S\\w", "(?<n>a)b*?", "\\.|a?b", "[b\\-a]"})
    void shouldMatchAsJavaDoes(String regex) {
        CompiledFormat format = CompiledFormat.ofRegex(regex);
        Pattern java = Pattern.compile(regex.replace("\\u{1F600}", "\\x{1F600}"));
        List<String> texts = texts("abcé\uD83D\uDE00.-", 4);
        Set<String> beginnings = new HashSet<>();
        for (String text : texts) {
            boolean expected = java.matcher(text).matches();
            assertEquals(expected, matches(format, text), () -> regex + " and " + text);
            for (int end = 0; expected && end <= text.length(); end++) {
                beginnings.add(text.substring(0, end));
            }
        }
        for (String text : beginnings) {
            assertTrue(begins(format, text.endsWith("\uD83D") ? text.substring(0, text.length() - 1) : text));
        }
    }

    /** Wherever a text is, it can come to an end: not one step leads astray. */
    @Test
    void shouldNotBeginWhatHasNoEnd() {
        CompiledFormat format = CompiledFormat.ofGrammar("""
                root ::= "a" dead | "b" root "c" | "b" "d" | [x-z] never # x leads nowhere
                dead ::= "a" dead
                never ::= dead | dead root""");
        assertFalse(begins(format, "a"));
        assertFalse(begins(format, "x"));
        assertTrue(matches(format, "bbbdcc"));
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofGrammar("root ::= \"a\" root"));
        assertTrue(e.getMessage().startsWith("the format matches no text"), e.getMessage());
    }

    @Test
    void shouldFollowGrammarsOfLlamaCpp() {
        CompiledFormat sums = CompiledFormat.ofGrammar("""
                # rules that begin with themselves, too
                root  ::= sum "\\n"
                sum   ::= sum "+" term | term
                term  ::= ( "(" sum ")" | number
                          | [a-z_] [a-z0-9_]* ) sign?
                sign  ::= [!?]
                number ::= "-"? [0-9]{1,3}
                """);
        for (String text : new String[] {"1+2\n", "(a+(b))+-12!\n", "x_1?+9\n"}) {
            assertTrue(matches(sums, text), text);
        }
        for (String text : new String[] {"1+2", "+1\n", "1234\n", "(1\n", "1)\n", "A\n", "1++2\n"}) {
            assertFalse(matches(sums, text), text);
        }
        CompiledFormat nothing = CompiledFormat.ofGrammar("root ::= a b? a\na ::= \"x\"? | \"\"\nb ::= a a \"y\"");
        for (String text : new String[] {"", "x", "xx", "y", "xxxyx", "xyx"}) {
            assertTrue(matches(nothing, text), text);
        }
        assertFalse(matches(nothing, "xxx"));
        assertTrue(matches(CompiledFormat.ofGrammar("root ::= [^\\n\\x41-\\u005A\\]\\-]+ .{2,}"), "abcé中"));
        CompiledFormat twice = CompiledFormat.ofGrammar("root ::= s\ns ::= s s | \"a\" | \"(\" s \")\"");
        assertTrue(matches(twice, "a(aa(a))aaa"));
        assertFalse(matches(twice, "a(aa(a)aaa"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"(", "a)", "[a", "a{2,1}", "*a", "a**", "(?=a)b", "a\\b", "\\1", "[z-a]", "\\p{Nope}", "a$b", "x{999999999}", "[\\d-x", "\\"})
    void shouldRefuseWhatIsNoRegularExpression(String regex) {
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofRegex(regex));
        assertTrue(e.getMessage().startsWith("a regular expression that is not supported: "), e.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "root", "root ::= a", "root := \"a\"", "root ::= \"a", "root ::= [a", "root ::= (\"a\"", "root ::= \"a\"{3,1}",
        "root ::= \"a\"\nroot ::= \"b\"", "root ::= <think>", "root ::= \"\\q\"", "other ::= \"a\"", "root ::= \"a\" )"})
    void shouldRefuseWhatIsNoGrammar(String gbnf) {
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofGrammar(gbnf));
        assertTrue(e.getMessage().matches("(?s)(not a grammar: |a grammar without the rule ').*"), e.getMessage());
    }

    /** What would take memory or time without end is refused, or not large after all. */
    @Test
    void shouldStayWithinBoundsWhoeverWroteTheFormat() {
        assertTimeout(Duration.ofSeconds(20), () -> {
            tooLarge(() -> CompiledFormat.ofRegex("((a{1000}){1000}){1000}"));
            tooLarge(() -> CompiledFormat.ofRegex("(" + "(a|é)?".repeat(20) + "){9000}"));
            tooLarge(() -> CompiledFormat.ofGrammar("root ::= a{100000} a{100000}\na ::= [^a] [^b]"));
            // As many sets of states as there are texts of this length: 2^400.
            CompiledFormat exponential = CompiledFormat.ofRegex("(a|b)*a(a|b){400}");
            assertTrue(matches(exponential, "ba".repeat(300)));
            assertFalse(matches(exponential, "b".repeat(600)));
            tooLarge(() -> CompiledFormat.ofSchema("{\"type\": \"string\", \"pattern\": \"(a|b)*a(a|b){400}\", \"maxLength\": 9}"));
            var chain = new StringBuilder("root ::= r0\n");
            for (int i = 0; i < 4000; i++) {
                chain.append("r").append(i).append(" ::= r").append(i + 1).append(" r").append(i + 1).append(" | \"x\"\n");
            }
            assertTrue(matches(CompiledFormat.ofGrammar(chain + "r4000 ::= \"y\""), "x"));
            var deep = "(".repeat(5000) + "a" + ")".repeat(5000);
            assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofRegex(deep));
            assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofGrammar("root ::= " + deep));
        });
    }

    private static void tooLarge(Runnable format) {
        String message = assertThrows(IllegalArgumentException.class, format::run).getMessage();
        assertTrue(message.contains("too large") || message.contains("repetitions"), message);
    }
}
