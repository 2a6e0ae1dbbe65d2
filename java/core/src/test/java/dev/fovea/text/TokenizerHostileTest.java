package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged and contradictory tokenizers: each must be refused, naming the file and the field, and none may crash. */
class TokenizerHostileTest {
    private static final int FLIPS = 600;

    @TempDir
    private Path directory;
    private Path file;

    @BeforeEach
    void nameFile() {
        file = directory.resolve("tokenizer.json");
    }

    private void expectRefusal(String field, String... words) {
        FormatException failure = assertThrows(FormatException.class, () -> Tokenizer.load(file).close());
        assertEquals(file, failure.file());
        assertTrue(failure.field().contains(field), failure.field() + " does not name " + field);
        for (String word : words) {
            assertTrue(failure.getMessage().contains(word), failure.getMessage() + " does not say " + word);
        }
        assertTrue(failure.getMessage().startsWith(file.toString()), failure.getMessage());
        assertFalse(failure.problem().matches("(?s).*(Exception|Reader|http|\\R).*"), failure.problem());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "null", "7", "{} {}", "{'a':1}", "{\"a\":\u0001\"\"}"})
    void shouldRefuseWhatIsNotOneJsonObject(String text) throws IOException {
        Files.writeString(file, text);
        assertThrows(FormatException.class, () -> Tokenizer.load(file));
        expectRefusal("");
    }

    @Test
    void shouldRefuseDeepNesting() throws IOException {
        Files.writeString(file, "{\"decoder\":" + "[".repeat(100_000));
        expectRefusal("text", "JSON");
    }

    @Test
    void shouldRefuseTextThatIsNotUtf8() throws IOException {
        Files.write(file, new byte[] {'{', (byte) 0xff, '}'});
        expectRefusal("text", "UTF-8");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "model                            | 7                             | model                    | an object",
        "model                            | null                          | model                    | an object",
        "model.type | \"Morphemes\" | model.type | 'Morphemes'",
        "model | {\"type\":\"BPE\",\"vocab\":{\"a\":0}} | model.merges | missing",
        "model | {\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a a\"]} | model.merges[0] | third",
        "model | {\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[\"a\"]} | model.merges[0] | two tokens",
        "model | {\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"dropout\":0.1} | model.dropout | 0.1",
        "model | {\"type\":\"BPE\",\"vocab\":{\"a\":0},\"merges\":[],\"unk_token\":\"u\"} | model.unk_token | 'u'",
        "model.type | \"Unigram\" | model.vocab | an array",
        "model | {\"type\":\"Unigram\",\"vocab\":[[\"a\",-1]],\"unk_id\":1} | model.unk_id | 0 to 0",
        "model | {\"type\":\"Unigram\",\"vocab\":[[\"a\",-1],[\"a\",-2]],\"unk_id\":0} | model.vocab[1] | twice",
        "model | {\"type\":\"Unigram\",\"vocab\":[[\"a\"]],\"unk_id\":0} | model.vocab[0] | score",
        "model.vocab                      | []                            | model.vocab              | an object",
        "model.vocab                      | {}                            | model.unk_token          | '[UNK]'",
        "model.vocab.un                   | -1                            | model.vocab.un           | -1",
        "model.vocab.un                   | 2147483647                    | model.vocab.un           | 2147483647",
        "model.vocab.un                   | 4294967296                    | model.vocab.un           | 4294967296",
        "model.vocab.un                   | 1.5                           | model.vocab.un           | 1.5",
        "model.vocab.un                   | \"4\"                         | model.vocab.un           | \"4\"",
        "model.unk_token                  | \"[gone]\"                    | model.unk_token          | '[gone]'",
        "model.unk_token                  | 1                             | model.unk_token          | text",
        "model.continuing_subword_prefix  | null                          | continuing_subword       | null",
        "model.max_input_chars_per_word   | 1001                          | max_input_chars_per_word | 1000",
        "model.max_input_chars_per_word   | 1e2                           | max_input_chars_per_word | 1e2",
        "normalizer                       | {}                            | normalizer.type          | missing",
        "normalizer.type | \"Morphemes\" | normalizer.type | 'Morphemes'",
        "normalizer.type | \"Precompiled\" | precompiled_charsmap | missing",
        "normalizer | {\"type\":\"Precompiled\",\"precompiled_charsmap\":\"%\"} | precompiled_charsmap | Base64",
        "normalizer | {\"type\":\"Precompiled\",\"precompiled_charsmap\":\"AAEAAA==\"} | precompiled_charsmap | damaged",
        "normalizer | {\"type\":\"Replace\",\"pattern\":{\"Regex\":\"\"},\"content\":\"\"} | pattern.Regex | got 0",
        "normalizer.lowercase             | \"true\"                      | normalizer.lowercase     | \"true\"",
        "pre_tokenizer.type | \"Morphemes\" | pre_tokenizer.type | 'Morphemes'",
        "pre_tokenizer | {\"type\":\"Split\",\"pattern\":{\"String\":\"a\"},\"behavior\":\"Gone\",\"invert\":false} | pre_tokenizer.behavior | 'Gone'",
        "pre_tokenizer                    | []                            | pre_tokenizer            | an array",
        "added_tokens                     | {}                            | added_tokens             | an object",
        "added_tokens.0                   | 1                             | added_tokens[0]          | an object",
        "added_tokens.0.id                | 9                             | added_tokens[0].id       | 2 by the",
        "added_tokens.2.id                | 12                            | added_tokens[2].id       | 11 by the",
        "added_tokens.0.id                | -2                            | added_tokens[0].id       | -2",
        "added_tokens.0.content           | \"\"                          | added_tokens[0].content  | visible",
        "added_tokens.2.content           | \"\u0301\"                    | added_tokens[2].content  | visible",
        "added_tokens.2.content           | \" \"                         | added_tokens[2].content  | visible",
        "added_tokens.0.special           | null                          | added_tokens[0].special  | null",
        "post_processor.type | \"Morphemes\" | post_processor.type | 'Morphemes'",
        "post_processor.pair.1.Sequence.id | \"A\" | pair[1].Sequence.id | in this order",
        "post_processor.single            | []                            | post_processor.single    | no place",
        "post_processor.single.1.Sequence.id      | \"B\"                  | single[1].Sequence.id    | A once",
        "post_processor.single.1.Sequence.type_id | 1                      | [1].Sequence.type_id     | got 1",
        "post_processor.single.0 | {\"Sequence\":{\"id\":\"A\",\"type_id\":0}} | single[1].Sequence.id | A once",
        "post_processor.single.0          | {}                            | single[0].SpecialToken   | missing",
        "post_processor.special_tokens    | {}                            | special_tokens.[CLS]     | missing",
        "post_processor.special_tokens.[CLS].ids | [-1]                   | [CLS].ids                | -1",
        "post_processor                   | {\"type\":\"BertProcessing\",\"cls\":[1]} | post_processor.cls | got 1",
        "post_processor                   | {\"type\":\"BertProcessing\",\"cls\":[]} | post_processor.cls | got 0",
    })
    void shouldRefuseWrongValue(String path, String json, String field, String word) throws IOException {
        new TokenizerJson().set(path, json).write(file);
        expectRefusal(field, word);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.type", "model.vocab", "model.unk_token", "added_tokens.0.id",
        "added_tokens.0.normalized", "post_processor.type", "post_processor.single"})
    void shouldRefuseMissingValue(String path) throws IOException {
        new TokenizerJson().set(path, null).write(file);
        expectRefusal(path.substring(path.lastIndexOf('.') + 1));
    }

    @Test
    void shouldRefuseTokenThatOccursTwice() throws IOException {
        Files.writeString(file, new TokenizerJson().root.toString().replace("\"un\":4", "\"un\":4,\"un\":5"));
        expectRefusal("model.vocab.un", "twice");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"un\"", "\"[UNK]\"", "\"<new>\"", "\"lowercase\""})
    void shouldRefuseOrIgnoreEscapedSurrogateAlone(String where) throws IOException {
        Files.writeString(file, new TokenizerJson().root.toString().replace(where, "\"\\ud800\""));
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            assertEquals(1, tokenizer.encode("un").length);
        } catch (FormatException refused) {
            assertTrue(refused.getMessage().startsWith(file.toString()), refused.getMessage());
        }
    }

    @Test
    void shouldRefuseSequencesWithoutEnd() throws IOException {
        String nested = "{\"type\":\"NFC\"}";
        for (int depth = 0; depth < 20; depth++) {
            nested = "{\"type\":\"Sequence\",\"normalizers\":[" + nested + "]}";
        }
        new TokenizerJson().set("normalizer", nested).write(file);
        expectRefusal("normalizers[0].normalizers[0]", "depth");
    }

    @Test
    void shouldRefuseWhatOnlyTheLibraryHas() throws IOException {
        new TokenizerJson().set("pre_tokenizer", "{\"type\":\"UnicodeScripts\"}").write(file);
        expectRefusal("pre_tokenizer.type", "UnicodeScripts", "-Dfovea.tokenizers=library");
        new TokenizerJson().set("pre_tokenizer", ComponentJson.split("(?<a>x)", "Isolated", false)).write(file);
        expectRefusal("pre_tokenizer.pattern", "named group");
    }

    @Test
    @Timeout(60)
    void shouldEndWhenAPatternRunsAway() throws IOException {
        new TokenizerJson().set("pre_tokenizer", ComponentJson.split("(?:x+x+)+y", "Isolated", false)).write(file);
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            String text = "x".repeat(10_000);
            String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.encode(text)).getMessage();
            assertTrue(message.contains("(?:x+x+)+y"), message);
            assertEquals(1, tokenizer.encode("un").length);
        }
    }

    @Test
    void shouldRefuseTextsThatReplacementsMakeTooLong() throws IOException {
        String one = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"" + "a".repeat(1000) + "\"}";
        new TokenizerJson().set("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[" + one + "," + one + "," + one + "]}")
                .set("added_tokens", "[]").write(file);
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.encode("a")).getMessage();
            assertTrue(message.contains("67108864"), message);
            assertEquals(1, tokenizer.encode("un").length);
        }
    }

    @Test
    void shouldRefuseTextsWhosePiecesBecomeTooLongTogether() throws IOException {
        String one = "{\"type\":\"Replace\",\"pattern\":{\"String\":\"a\"},\"content\":\"" + "a".repeat(2000) + "\"}";
        new TokenizerJson().set("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[" + one + "," + one + "]}").write(file);
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            assertArrayEquals(new int[] {1, 3, 1, 3}, tokenizer.encode("a[SEP]a[SEP]"));
            String text = "a[SEP]".repeat(20);
            String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.encode(text)).getMessage();
            assertTrue(message.contains("67108864"), message);
            assertEquals(1, tokenizer.encode("un").length);
        }
    }

    @Test
    @Timeout(60)
    void shouldRefuseTokensThatCannotBeNormalized() throws IOException {
        new TokenizerJson().set("normalizer",
                "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(?:x+x+)+y\"},\"content\":\"\"}")
                .set("added_tokens.2.content", "\"" + "x".repeat(5000) + "\"").write(file);
        expectRefusal("added_tokens", "(?:x+x+)+y");
    }

    @Test
    void shouldRefuseMapsOfCharactersThatAreNotUtf8() throws IOException {
        String whole = JsonParser.parseString(GraphemeProbe.charsmap("a", "bc")).getAsJsonObject()
                .get("precompiled_charsmap").getAsString();
        for (byte last : new byte[] {(byte) 0xe4, (byte) 0xff}) {
            byte[] map = Base64.getDecoder().decode(whole);
            map[map.length - 2] = last;
            new TokenizerJson().set("normalizer", "{\"type\":\"Precompiled\",\"precompiled_charsmap\":\""
                    + Base64.getEncoder().encodeToString(map) + "\"}").write(file);
            expectRefusal("normalizer.precompiled_charsmap", "UTF-8");
        }
    }

    @Test
    void shouldSkipTheVersionOfMerges() throws IOException {
        new TokenizerJson().set("added_tokens", "[]").set("post_processor", "null").set("model",
                "{\"type\":\"BPE\",\"vocab\":{\"a\":0,\"b\":1,\"ab\":2},\"merges\":[\"#version: 0.2\",\"a b\"]}").write(file);
        for (boolean byLibrary : new boolean[] {false, true}) {
            try (Tokenizer tokenizer = Tokenizer.load(file, byLibrary)) {
                assertArrayEquals(new int[] {2, 0}, tokenizer.encode("aba"));
            }
        }
    }

    @Test
    void shouldRefuseTooManyParts() throws IOException {
        String many = "{\"type\":\"NFC\"}" + ",{\"type\":\"NFC\"}".repeat(100);
        new TokenizerJson().set("normalizer", "{\"type\":\"Sequence\",\"normalizers\":[" + many + "]}").write(file);
        expectRefusal("normalizers[99].type", "at most 100");
    }

    @Test
    void shouldIgnoreWhatItDoesNotUse() throws IOException {
        new TokenizerJson().set("decoder", "{\"type\":7}").set("padding", "{\"pad_to_multiple_of\":0}")
                .set("truncation", "[1]").write(file);
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            assertEquals(1, tokenizer.encode("un").length);
        }
    }

    @Test
    void shouldRefuseEachPrefixOfValidFile() throws IOException {
        byte[] valid = new TokenizerJson().root.toString().getBytes(StandardCharsets.UTF_8);
        for (int length = 0; length < valid.length; length += 7) {
            Files.write(file, Arrays.copyOf(valid, length));
            expectRefusal("");
        }
    }

    @ParameterizedTest
    @CsvSource({"1, false", "2, false", "1, true", "2, true"})
    void shouldRefuseOrReadEachBitFlip(long seed, boolean byLibrary) throws IOException {
        Random random = new Random(seed);
        byte[] valid = new TokenizerJson().root.toString().getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < FLIPS; i++) {
            byte[] flipped = valid.clone();
            flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            Files.write(file, flipped);
            try (Tokenizer tokenizer = Tokenizer.load(file, byLibrary)) {
                for (String text : new String[] {"", "unaffable 世 [SEP] <new>😀 x", "e\u0301\u0000\t\uFFFD"}) {
                    assertTrue(tokenizer.encode(text).length <= text.length());
                }
            } catch (FormatException refused) {
                assertTrue(refused.getMessage().startsWith(file.toString()), refused.getMessage());
            }
        }
    }

    @Test
    void shouldNameFileWhenItIsAbsentOrDirectory() throws IOException {
        IOException absent = assertThrows(NoSuchFileException.class, () -> Tokenizer.load(file));
        assertTrue(absent.getMessage().contains(file.toString()), absent.getMessage());
        Files.createDirectory(file);
        IOException folder = assertThrows(FileSystemException.class, () -> Tokenizer.load(file));
        assertTrue(folder.getMessage().contains(file + ": expected a file, got a directory"), folder.getMessage());
    }
}
