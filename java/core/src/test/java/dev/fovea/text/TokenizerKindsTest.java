package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Kinds of tokenizers, and pairs of texts: what the library itself makes of the original file. */
class TokenizerKindsTest {
    private static final String ADDED = """
            [{"id": 0, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
              "special": true},
             {"id": 1, "content": "</s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
              "special": true}]""";

    @TempDir
    private Path directory;

    /** Byte-level BPE of RoBERTa. */
    static String bytes() {
        JsonObject vocabulary = new JsonObject();
        vocabulary.addProperty("<s>", 0);
        vocabulary.addProperty("</s>", 1);
        for (int b = 0; b < 256; b++) {
            vocabulary.addProperty(byteChar(b), vocabulary.size());
        }
        JsonArray merges = new JsonArray();
        for (String merge : new String[] {"t h", "th e", "Ġ the", "a n", "Ġ a", "o w", "Ã ¼"}) {
            merges.add(merge);
            vocabulary.addProperty(merge.replace(" ", ""), vocabulary.size());
        }
        return """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s, "normalizer": null,
                 "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true,
                                   "use_regex": true},
                 "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 1], "cls": ["<s>", 0],
                                    "trim_offsets": true, "add_prefix_space": false},
                 "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
                 "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
                           "end_of_word_suffix": "", "fuse_unk": false, "vocab": %s, "merges": %s}}
                """.formatted(ADDED, vocabulary, merges);
    }

    private static String byteChar(int b) {
        boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
        if (printable) {
            return Character.toString(b);
        }
        int place = b <= ' ' ? b : b <= 0xa0 ? b - 0x7f + 33 : 67;
        return Character.toString(256 + place);
    }

    /** Unigram of XLM-R, with a map of characters that changes nothing. */
    static String pieces() {
        JsonArray vocabulary = new JsonArray();
        for (String piece : new String[] {"<s>", "</s>", "<unk>", "▁", "▁the", "▁a", "t", "h", "e", "a", "n", "d", "o",
                "w", "an", "ow", "▁th", "ü", "."}) {
            JsonArray entry = new JsonArray();
            entry.add(piece);
            entry.add(vocabulary.size() < 3 ? 0 : -1.5 - vocabulary.size() / 4.0);
            vocabulary.add(entry);
        }
        ByteBuffer map = ByteBuffer.allocate(4 + 4 * 256 + 2).order(ByteOrder.LITTLE_ENDIAN);
        map.putInt(0, 4 * 256);
        for (int i = 0; i < 256; i++) {
            map.putInt(4 + 4 * i, i == 0 ? 0 : 1 << 31 | 255);
        }
        return """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s,
                 "normalizer": {"type": "Sequence", "normalizers": [
                   {"type": "Precompiled", "precompiled_charsmap": "%s"},
                   {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
                 "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},
                 "post_processor": {"type": "TemplateProcessing",
                   "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                              {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                   "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                            {"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}},
                            {"SpecialToken": {"id": "</s>", "type_id": 1}}],
                   "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]},
                                      "</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
                 "decoder": null,
                 "model": {"type": "Unigram", "unk_id": 2, "byte_fallback": false, "vocab": %s}}
                """.formatted(ADDED, Base64.getEncoder().encodeToString(map.array()), vocabulary);
    }

    /** WordPiece of BERT. */
    static String words() {
        return new TokenizerJson().set("truncation", "null").set("padding", "null").set("post_processor",
                "{\"type\":\"BertProcessing\",\"sep\":[\"[SEP]\",3],\"cls\":[\"[CLS]\",2]}").root.toString();
    }

    static Stream<String> kinds() {
        return Stream.of(bytes(), pieces(), words());
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldGiveWhatTheLibraryDoes(String json) throws Exception {
        Random random = new Random(1);
        try (Tokenizer tokenizer = load(json)) {
            TokenizersLibrary library = TokenizerLibrary.load();
            for (Truncation truncation : Truncation.values()) {
                long original = library.createTokenizerFromString(json);
                for (int i = 0; i < 300; i++) {
                    int limit = 8 + random.nextInt(20);
                    library.setTruncation(original, limit, truncation.name(), 0);
                    String first = text(random, 4);
                    String second = text(random, 14);
                    if (truncation == Truncation.LONGEST_FIRST) {
                        compare(library, library.encode(original, first, true), tokenizer.input(first, limit));
                    }
                    boolean cutsFirst = truncation == Truncation.ONLY_FIRST;
                    ModelInput input;
                    try {
                        input = cutsFirst ? tokenizer.input(second, first, truncation, limit)
                                : tokenizer.input(first, second, truncation, limit);
                    } catch (IllegalArgumentException e) {
                        continue; // the library refuses that too, or panics
                    }
                    long encoding = cutsFirst ? library.encodeDual(original, second, first, true)
                            : library.encodeDual(original, first, second, true);
                    compare(library, encoding, input);
                }
                library.deleteTokenizer(original);
            }
        }
    }

    private static void compare(TokenizersLibrary library, long encoding, ModelInput input) {
        assertArrayEquals(Arrays.stream(library.getTokenIds(encoding)).mapToInt(id -> (int) id).toArray(), input.ids());
        assertArrayEquals(Arrays.stream(library.getTypeIds(encoding)).mapToInt(id -> (int) id).toArray(),
                input.types());
        library.deleteEncoding(encoding);
    }

    private static String text(Random random, int words) {
        StringBuilder text = new StringBuilder();
        for (int i = random.nextInt(words); i >= 0; i--) {
            text.append(new String[] {"the", " the", " and", " now", "  a", " 世界", " ü", "un", "affable", "!", " 👍", ".",
                    " the</s>", "\n"}[random.nextInt(14)]);
        }
        return text.toString();
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldSayWhereTokensStand(String json) throws Exception {
        try (Tokenizer tokenizer = load(json)) {
            String text = "the 👍 and now the";
            ModelInput input = tokenizer.input(text, 100);
            int last = input.ids().length - 2;
            assertEquals("the", text.substring(input.starts()[last], input.ends()[last]).strip());
            assertEquals(-1, input.texts()[0]);
            assertEquals(0, input.texts()[last]);
            assertEquals(-1, input.words()[last + 1]);
            assertFalse(input.truncated());
            assertTrue(tokenizer.input(text, 4).truncated());
            assertThrows(IllegalArgumentException.class, () -> tokenizer.input(text, 1));
        }
    }

    @ParameterizedTest
    @MethodSource("kinds")
    void shouldWritePairsOfOneFirstTextAsInputs(String json) throws Exception {
        Random random = new Random(2);
        try (Tokenizer tokenizer = load(json)) {
            for (int i = 0; i < 100; i++) {
                Truncation truncation = Truncation.values()[i % 3];
                int limit = i == 0 ? Integer.MAX_VALUE : 8 + random.nextInt(20);
                String first = text(random, 4);
                PairInputs pairs = tokenizer.pairs(first, truncation, limit);
                for (int j = 0; j < 5; j++) {
                    String second = text(random, i == 0 ? 2000 : 14);
                    int[] ids = new int[20_000];
                    int[] types = new int[ids.length];
                    ModelInput expected;
                    try {
                        expected = tokenizer.input(first, second, truncation, limit);
                    } catch (IllegalArgumentException e) {
                        assertEquals(e.getMessage(), assertThrows(IllegalArgumentException.class,
                                () -> pairs.write(second, ids, types, 3)).getMessage());
                        continue;
                    }
                    int end = 3 + pairs.write(second, ids, types, 3);
                    assertArrayEquals(expected.ids(), Arrays.copyOfRange(ids, 3, end));
                    assertArrayEquals(expected.types(), Arrays.copyOfRange(types, 3, end));
                    int whole = tokenizer.input(first, second, truncation, Integer.MAX_VALUE).ids().length;
                    assertEquals(whole, pairs.whole());
                    assertEquals(expected.truncated(), whole > end - 3);
                }
            }
            assertThrows(IllegalArgumentException.class, () -> tokenizer.pairs("a", Truncation.ONLY_FIRST, 1));
        }
    }

    @Test
    void shouldRefuseAPairWithoutATemplate() throws Exception {
        var json = JsonParser.parseString(pieces()).getAsJsonObject();
        json.getAsJsonObject("post_processor").remove("pair");
        try (Tokenizer tokenizer = load(json.toString())) {
            String message = assertThrows(IllegalArgumentException.class,
                    () -> tokenizer.input("a", "a", Truncation.LONGEST_FIRST, 9)).getMessage();
            assertTrue(message.contains("pair"), message);
            assertThrows(IllegalArgumentException.class, () -> tokenizer.pairs("a", Truncation.LONGEST_FIRST, 9));
        }
    }

    @Test
    void shouldNameTheIdsOfTokens() throws Exception {
        try (Tokenizer tokenizer = load(pieces())) {
            assertEquals(1, tokenizer.id("</s>"));
            assertEquals(-1, tokenizer.id("nothing"));
            assertEquals("▁the", tokenizer.text(4));
        }
    }

    /** Beside the library itself: {@link LibraryEngine} refuses such tokens, which it may not be safe with. */
    @Test
    void shouldTakeWhiteSpaceBehindATokenAlong() throws Exception {
        String json = new TokenizerJson().set("truncation", "null").set("padding", "null")
                .set("added_tokens.2.rstrip", "true").set("post_processor", "null").root.toString();
        TokenizersLibrary library = TokenizerLibrary.load();
        long original = library.createTokenizerFromString(json);
        Random random = new Random(3);
        try (Tokenizer tokenizer = load(json)) {
            for (int i = 0; i < 2000; i++) {
                StringBuilder text = new StringBuilder();
                for (int k = random.nextInt(6); k >= 0; k--) {
                    text.append(new String[] {"<new>", " ", "un", "\u3000", "[SEP]", "世", "\n"}[random.nextInt(7)]);
                }
                long encoding = library.encode(original, text.toString(), false);
                compare(library, encoding, tokenizer.input(text.toString(), 100));
            }
        } finally {
            library.deleteTokenizer(original);
        }
    }

    private Tokenizer load(String json) throws Exception {
        return Tokenizer.load(Files.writeString(directory.resolve("tokenizer.json"), json));
    }
}
