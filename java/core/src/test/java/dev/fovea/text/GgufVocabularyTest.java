package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers in the metadata of GGUF files; {@code src/test/tokenizers/campaign.sh} compares real vocabularies. */
class GgufVocabularyTest {
    @TempDir
    private Path directory;

    private Tokenizer load(GgufVocabularies vocabulary, boolean byLibrary) throws IOException {
        return TokenizerSource.load(Files.write(directory.resolve("vocabulary.gguf"), vocabulary.toBytes()), byLibrary);
    }

    /** Compares with the library, which loads a file of its own. */
    private void compare(GgufVocabularies vocabulary, String original, int texts) throws IOException {
        Path json = original == null ? directory.resolve("vocabulary.gguf")
                : Files.writeString(directory.resolve("tokenizer.json"), original);
        try (Tokenizer java = load(vocabulary, false); Tokenizer library = TokenizerSource.load(json, true)) {
            EqualityCampaign campaign = new EqualityCampaign(java, library);
            campaign.texts(texts, 1);
            assertEquals(0, campaign.failures(), () -> "texts differ, see the output; the first is " + campaign.first());
        }
    }

    static Stream<String> names() {
        var reader = new InputStreamReader(GgufPreTokenizers.class.getResourceAsStream("gguf-pre-tokenizers.json"),
                StandardCharsets.UTF_8);
        List<String> names = new ArrayList<>();
        JsonArray table = JsonParser.parseReader(reader).getAsJsonArray();
        for (JsonElement family : table) {
            family.getAsJsonObject().getAsJsonArray("names").forEach(name -> names.add(name.getAsString()));
        }
        assertEquals(names.size(), names.stream().distinct().count(), "a name is listed twice");
        return names.stream();
    }

    @ParameterizedTest
    @MethodSource("names")
    void shouldSplitWordsByEachNameAsTheLibraryDoes(String name) throws IOException {
        compare(GgufVocabularies.ofBytes(TokenizerKindsTest.bytes(), name), null, 100);
    }

    @Test
    void shouldGiveTheIdsOfTheOriginal() throws IOException {
        compare(GgufVocabularies.ofBytes(TokenizerKindsTest.bytes(), "gpt-2"), TokenizerKindsTest.bytes(), 2000);
        JsonObject pieces = JsonParser.parseString(TokenizerKindsTest.pieces()).getAsJsonObject();
        pieces.add("pre_tokenizer", JsonParser.parseString("{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'},"
                + pieces.get("pre_tokenizer") + "]}"));
        compare(GgufVocabularies.ofPieces(TokenizerKindsTest.pieces()), pieces.toString(), 2000);
    }

    @Test
    void shouldMergeCharactersAsTheLibraryDoes() throws IOException {
        compare(GgufVocabularies.ofScores(true), null, 2000);
        compare(GgufVocabularies.ofScores(false), null, 2000);
        compare(GgufVocabularies.ofMerges(), null, 2000);
    }

    @Test
    void shouldMergeByScores() throws IOException {
        try (Tokenizer tokenizer = load(GgufVocabularies.ofScores(true), false)) {
            assertEquals(List.of("▁the", "▁and"), tokenizer.tokens("the and"));
            assertEquals(List.of("▁a", "aaaa", "aaa"), tokenizer.tokens("aaaaaaaa"));
            assertEquals(List.of("▁", "<0xC3>", "<0xA9>"), tokenizer.tokens("é"));
            // Users' tokens come first, and spaces of their own are merged like any.
            assertEquals(List.of("▁a", "  x"), tokenizer.tokens("a  x"));
            assertEquals(List.of("▁t", "\n\n", "▁t"), tokenizer.tokens("t\n\nt"));
            assertEquals(List.of("▁▁▁▁", "▁t"), tokenizer.tokens("    t"));
            assertEquals(List.of("▁t", "<|im_end|>", "▁t"), tokenizer.tokens("t<|im_end|>t"));
            assertArrayEquals(new int[] {1}, tokenizer.prefix());
            assertArrayEquals(new int[0], tokenizer.suffix());
            for (String text : new String[] {"the and", "é 世界 the", "  a\n\nb", "", " "}) {
                assertEquals(text, tokenizer.decode(tokenizer.encode(text)));
            }
            int end = tokenizer.id("<|im_end|>");
            assertFalse(Arrays.stream(tokenizer.encodeVerbatim("t<|im_end|>")).anyMatch(id -> id == end));
            assertEquals("t<|im_end|>", tokenizer.decode(tokenizer.encodeVerbatim("t<|im_end|>")));
        }
        try (Tokenizer tokenizer = load(GgufVocabularies.ofScores(false), false)) {
            assertEquals(List.of("the", "▁and"), tokenizer.tokens("the and"));
            assertEquals(" the", tokenizer.decode(tokenizer.encode(" the")));
        }
    }

    @Test
    void shouldKnowSpecialTokens() throws IOException {
        try (Tokenizer tokenizer = load(GgufVocabularies.ofScores(true), false)) {
            assertEquals(1, tokenizer.id(SpecialToken.BOS)); // llama.cpp's, where the file has none
            assertEquals(2, tokenizer.id(SpecialToken.EOS));
            assertEquals(0, tokenizer.id(SpecialToken.UNK));
            assertEquals(tokenizer.id("<|im_end|>"), tokenizer.id(SpecialToken.EOT));
            assertEquals(-1, tokenizer.id(SpecialToken.PAD));
            assertArrayEquals(new int[] {2, tokenizer.id("<|im_end|>")}, tokenizer.endIds());
            assertTrue(tokenizer.isSpecial(0) && tokenizer.isSpecial(1) && tokenizer.isSpecial(tokenizer.id("<|im_end|>")));
            assertFalse(tokenizer.isSpecial(tokenizer.id("\n\n")));
        }
        var bytes = GgufVocabularies.ofBytes(TokenizerKindsTest.bytes(), "jina-v2-code").set("eot_token_id", 5)
                .set("mask_token_id", 6).set("padding_token_id", 7).set("seperator_token_id", 1);
        try (Tokenizer tokenizer = load(bytes, false)) {
            assertEquals(List.of(0, 5, 6, 7, 1), Stream.of(SpecialToken.BOS, SpecialToken.EOT, SpecialToken.MASK,
                    SpecialToken.PAD, SpecialToken.SEP).map(tokenizer::id).toList());
            assertArrayEquals(new int[] {1, 5}, tokenizer.endIds());
            int the = tokenizer.encode("the")[0];
            assertArrayEquals(new int[] {0, the, 1}, tokenizer.input("the", 9).ids());
            assertArrayEquals(new int[] {0, the, 1, 1, the, 1},
                    tokenizer.input("the", "the", Truncation.LONGEST_FIRST, 9).ids());
        }
        try (Tokenizer tokenizer = load(GgufVocabularies.ofPieces(TokenizerKindsTest.pieces()), false)) {
            assertArrayEquals(new int[] {0}, tokenizer.prefix());
            assertArrayEquals(new int[] {1}, tokenizer.suffix());
            assertEquals(2, tokenizer.id(SpecialToken.UNK));
            assertEquals("the an", tokenizer.decode(tokenizer.encode(" the   an ")));
        }
    }

    private void refuse(GgufVocabularies vocabulary, String key, String... words) throws IOException {
        Path file = Files.write(directory.resolve("vocabulary.gguf"), vocabulary.toBytes());
        FormatException failure = assertThrows(FormatException.class, () -> TokenizerSource.load(file, false));
        assertEquals("tokenizer.ggml." + key, failure.field());
        assertFalse(failure.getMessage().contains("\n"), failure.getMessage());
        for (String word : words) {
            assertTrue(failure.getMessage().contains(word), failure.getMessage() + " does not say " + word);
        }
    }

    private static GgufVocabularies bytes() {
        return GgufVocabularies.ofBytes(TokenizerKindsTest.bytes(), "gpt-2");
    }

    @Test
    void shouldRefuseByNameWhatItDoesNotKnow() throws IOException {
        refuse(bytes().set("model", "rwkv"), "model", "[bert, gemma4, gpt2, llama, t5]", "'rwkv'");
        refuse(bytes().set("pre", "gpt-9"), "pre", "'gpt-9'", "llama-bpe", "qwen2");
        refuse(bytes().set("pre", ""), "pre", "got nothing");
        refuse(bytes().set("bos_token_id", 5000), "bos_token_id", "one of 265 tokens", "5000");
        refuse(bytes().token("a", 1, 0), "tokens", "'a'", "twice");
        refuse(bytes().token("x", 9, 0), "token_type", "from 0 to 6", "got 9");
        refuse(bytes().merge("t q"), "merges", "make a third", "'t q'");
        refuse(bytes().merge("th"), "merges", "'th'");
        refuse(GgufVocabularies.ofScores(true).set("remove_extra_whitespaces", true), "remove_extra_whitespaces", "false");
        refuse(GgufVocabularies.ofScores(true).token("y".repeat(300), 1, -5), "tokens", "256 characters", "300");
        refuse(GgufVocabularies.ofScores(true).token("y", 1, Double.NaN), "scores", "finite", "NaN");
        refuse(new GgufVocabularies().set("model", "llama"), "tokens", "at least one");
        refuse(new GgufVocabularies().set("model", "gpt2").set("pre", "qwen2").token("a", 1, 0), "merges", "missing");
        refuse(new GgufVocabularies().set("model", "gpt2").set("pre", "qwen2").set("add_bos_token", true).token("a", 1, 0)
                .merge("a a"), "bos_token_id", "got nothing");
        refuse(new GgufVocabularies().set("model", "t5").token("a", 3, 0).token("b", 3, 0), "tokens", "text");
        refuse(new GgufVocabularies().set("model", "t5").set("add_eos_token", false).token("a", 1, 0), "unknown_token_id",
                "got nothing");
    }

    /** A piece for each pair of a long row of one letter: each has many ways to be made. */
    @Test
    void shouldBoundWhatScoresStandFor() throws IOException {
        GgufVocabularies many = new GgufVocabularies().set("model", "llama").set("add_bos_token", false);
        for (int i = 1; i <= 256; i++) {
            many.token("a".repeat(i), 1, -i);
        }
        refuse(many, "tokens", "at most 64 ways");
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void shouldRefuseOrReadEachMutant(long seed) throws IOException {
        Random random = new Random(seed);
        byte[] valid = (switch ((int) seed) {
            case 1 -> bytes();
            case 2 -> GgufVocabularies.ofScores(true);
            case 3 -> GgufVocabularies.ofPieces(TokenizerKindsTest.pieces());
            default -> GgufVocabularies.ofMerges();
        }).toBytes();
        Path file = directory.resolve("mutant.gguf");
        for (int i = 0; i < 300; i++) {
            byte[] mutant = valid.clone();
            for (int flips = 1 + random.nextInt(3); flips > 0; flips--) {
                mutant[random.nextInt(mutant.length)] ^= (byte) (1 << random.nextInt(Byte.SIZE));
            }
            Files.write(file, mutant);
            try (Tokenizer tokenizer = TokenizerSource.load(file, false)) {
                int[] ids = tokenizer.encode("the and 世界 ▁ <s>\n\n  x é <|im_end|>");
                tokenizer.decode(ids, random.nextBoolean());
            } catch (FormatException refused) {
                assertTrue(refused.getMessage().contains("mutant.gguf"), refused.getMessage());
                assertFalse(refused.getMessage().contains("\n"), refused.getMessage());
            }
        }
    }
}
