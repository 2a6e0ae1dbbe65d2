package dev.fovea.model.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.model.TinyGenerator;
import dev.fovea.text.Tokenizer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A mask has exactly the tokens that may be taken, wherever an answer is and whatever was taken back before. */
class TokenMasksTest {
    static final Map<String, CompiledFormat> FORMATS = Map.of(
            "choice", CompiledFormat.ofChoice(List.of("yes", "no", "perhaps so", " x")),
            "regex", CompiledFormat.ofRegex("[a-c]{3,5}-\\d+(é|x)*| ?[一-龥]{1,40}"),
            "any", CompiledFormat.ofSchema("{\"type\": \"object\"}"),
            "schema", CompiledFormat.ofSchema("""
                    {"type": "object", "properties": {"name": {"type": "string", "maxLength": 7}, "id": {"type": "integer",
                     "minimum": -3, "maximum": 120}, "tags": {"type": "array", "items": {"enum": ["ab", "abc"]}, "minItems": 1},
                     "when": {"type": "string", "format": "date"}}, "required": ["id"], "additionalProperties": true}"""),
            "left", CompiledFormat.ofGrammar("root ::= e\ne ::= e [+*] t | t\nt ::= \"(\" e \")\" | [0-9]+"),
            "right", CompiledFormat.ofGrammar("root ::= l\nl ::= w \" \" l | w\nw ::= c w | c\nc ::= [a-z]"),
            "nothing", CompiledFormat.ofGrammar("root ::= a b? a\na ::= \"x\"? | \"\"\nb ::= a root \"y\""),
            "subsets", CompiledFormat.ofRegex("(a|b)*(a|[^x])(a|b|[^y]){30}"));

    @TempDir
    private Path directory;

    /** Pieces with a space where a word begins, and bytes for what is none: the first token of a text loses the space. */
    private Path pieces() throws IOException {
        var vocabulary = new StringBuilder("{\"</s>\": 0");
        List<String> tokens = new ArrayList<>();
        for (int b = 0; b < 256; b++) {
            tokens.add("<0x%02X>".formatted(b));
        }
        tokens.addAll(List.of("▁", "▁▁", "▁x", "▁yes", "yes", "▁per", "haps", "▁so", "▁a▁b", "ab", "▁ab", "▁{", "{", "▁12", "12", "▁中", "é", "no",
                "▁\\\"", "\\\",", "\\\":", "▁z", "z", "),"));
        tokens.forEach(token -> vocabulary.append(", \"").append(token).append("\": ").append(1 + tokens.indexOf(token)));
        return Files.writeString(directory.resolve("pieces.json"), """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": [{"id": 0, "content": "</s>",
                 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
                 "normalizer": null, "pre_tokenizer": null, "post_processor": null,
                 "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                   {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
                 "model": {"type": "BPE", "vocab": %s}, "merges": [], "byte_fallback": true}}"""
                .formatted(vocabulary));
    }

    @Test
    void shouldHaveExactlyTheTokensThatMayFollow() throws IOException {
        for (Path file : List.of(TinyGenerator.tokenizer(directory), pieces())) {
            try (Tokenizer tokenizer = Tokenizer.load(file)) {
                FORMATS.forEach((name, format) -> compare(name, format, tokenizer));
            }
        }
    }

    /** Takes tokens at random, and takes some back. */
    private static void compare(String name, CompiledFormat format, Tokenizer tokenizer) {
        var random = new Random(3);
        var vocabulary = new Vocabulary<String>(tokenizer, tokenizer.vocabularySize() + 3, new int[] {0});
        Constraint constraint = vocabulary.constraint(name, format, 4);
        List<Integer> written = new ArrayList<>();
        for (int step = 0; step < 120; step++) {
            long[] mask = constraint.mask().clone();
            List<Integer> allowed = new ArrayList<>();
            for (int id = 1; id < tokenizer.vocabularySize() + 3; id++) {
                boolean may = constraint.accept(id);
                if (may) {
                    allowed.add(id);
                    constraint.truncate(written.size());
                }
                int token = id;
                assertEquals(may, (mask[id >> 6] >>> id & 1) != 0, () -> name + ": token " + token + " behind " + text(tokenizer, written));
            }
            String text = text(tokenizer, written);
            assertEquals((mask[0] & 1) != 0, constraint.canEnd());
            assertTrue(!constraint.canEnd() || GrammarTest.matches(format, text), name + ": " + text);
            if (random.nextInt(4) == 0 || allowed.isEmpty()) {
                assertTrue(!allowed.isEmpty() || constraint.canEnd() && constraint.isComplete(), name + " has no way on: " + text);
                constraint.truncate(random.nextInt(written.size() + 1));
                written.subList(constraint.tokens(), written.size()).clear();
            } else {
                written.add(allowed.get(random.nextInt(allowed.size())));
                assertTrue(constraint.accept(written.getLast()));
            }
            assertEquals(written.size(), constraint.tokens());
        }
    }

    private static String text(Tokenizer tokenizer, List<Integer> ids) {
        return tokenizer.decode(ids.stream().mapToInt(Integer::intValue).toArray());
    }

    @Test
    void shouldRefuseWhatCannotBeFollowed() throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(TinyGenerator.tokenizer(directory))) {
            var vocabulary = new Vocabulary<String>(tokenizer, tokenizer.vocabularySize(), new int[] {0});
            Constraint constraint = vocabulary.constraint("x", CompiledFormat.ofChoice(List.of("x")), 4);
            assertFalse(constraint.accept(0));
            assertFalse(constraint.accept(-1));
            assertFalse(constraint.accept(Integer.MAX_VALUE));
            var e = assertThrows(IllegalArgumentException.class, () -> constraint.truncate(1));
            assertEquals("expected 0 to 0 tokens to be left, got 1", e.getMessage());
            // More ways to read a text than there is time for.
            var format = CompiledFormat.ofGrammar("root ::= s\ns ::= s s s | s s | [a-z0-9 ]+ | \"(\" s \")\" | \"\"");
            var many = assertThrows(IllegalArgumentException.class, () -> {
                Constraint ways = vocabulary.constraint("ways", format, 4000);
                while (ways.accept("abcdefgh".charAt(ways.tokens() % 8) + 3)) {
                    ways.mask();
                }
            });
            assertTrue(many.getMessage().startsWith("the format cannot be followed"), many.getMessage());
        }
    }

    @Test
    @Tag("slow")
    void shouldFollowAFormatWithoutHeapAllocation() throws IOException {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Tokenizer tokenizer = Tokenizer.load(TinyGenerator.tokenizer(directory))) {
            var vocabulary = new Vocabulary<String>(tokenizer, tokenizer.vocabularySize(), new int[] {0});
            CompiledFormat format = CompiledFormat.ofSchema("{\"type\": \"array\", \"items\": {\"type\": \"array\"}}");
            int[] tokens = tokenizer.encode("[[1, {\"a b\": \"cé\"}], [[\"x\"]], []" + ", [[true]]".repeat(100));
            long bytes = -1;
            for (int round = 0; round < 200 && bytes != 0; round++) {
                Constraint constraint = vocabulary.constraint("json", format, 2 * tokens.length);
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int token : tokens) {
                    long[] mask = constraint.mask();
                    if ((mask[token >> 6] >>> token & 1) == 0 || !constraint.accept(token)) {
                        throw new AssertionError(token);
                    }
                }
                bytes = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertEquals(0, bytes);
        }
    }
}
