package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import com.google.gson.JsonObject;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokens to text, whole and as they come: what the library itself makes of the original file. */
class DecoderTest {
    private static final String[] TOKENS = {"<unk>", "<s>", "</s>", "▁the", "▁", "▁▁", "a", "b▁c", "##able", "##", "un",
        ".", "?", "n't", "'", "'s", "do not", "low</w>", "er</w>", "</w>", " ", "  x  ", "Ġthe", "Ċ", "ä½ł", "å¥", "½", "ð", "Ł",
        "ĺ", "Ģ", "世界", "é", "<0x41>", "<0xE4>", "<0xB8>", "<0x96>", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "<0x+7>", "<0xG0>",
        "<0xé>", "\ud83d\ude00", ""};
    private static final int TOKEN_COUNT = TOKENS.length + 2;
    private static final String LLAMA = """
            {"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},
            {"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]}""";
    private static final String BYTES = "{\"type\":\"ByteLevel\",\"add_prefix_space\":true,\"trim_offsets\":true,\"use_regex\":true}";

    @TempDir
    private Path directory;

    private static String json(String decoder) {
        JsonObject vocabulary = new JsonObject();
        for (String token : TOKENS) {
            vocabulary.addProperty(token, vocabulary.size());
        }
        String flags = "\"single_word\":false,\"lstrip\":false,\"rstrip\":false,\"normalized\":false,";
        return json(decoder, """
                {"id":1,"content":"<s>",%s"special":true},{"id":2,"content":"</s>",%s"special":true},
                {"id":%d,"content":"<call>",%s"special":false},{"id":%d,"content":"<|end|>",%s"special":true}"""
                .formatted(flags, flags, TOKENS.length, flags, TOKENS.length + 1, flags), "<unk>", vocabulary);
    }

    private static String json(String decoder, String added, String unknown, JsonObject vocabulary) {
        return """
                {"version":"1.0","truncation":null,"padding":null,"normalizer":null,"pre_tokenizer":{"type":"WhitespaceSplit"},
                "post_processor":null,"decoder":%s,"added_tokens":[%s],
                "model":{"type":"WordLevel","unk_token":"%s","vocab":%s}}""".formatted(decoder, added, unknown, vocabulary);
    }

    private Tokenizer load(String decoder) throws IOException {
        return Tokenizer.load(Files.writeString(directory.resolve("tokenizer.json"), json(decoder)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"null", BYTES, LLAMA, "{\"type\":\"Fuse\"}", "{\"type\":\"ByteFallback\"}",
        "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}", "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":false}",
        "{\"type\":\"BPEDecoder\",\"suffix\":\"</w>\"}", "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"add_prefix_space\":true}",
        "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"never\",\"split\":true}",
        "{\"type\":\"Metaspace\",\"replacement\":\"▁\",\"prepend_scheme\":\"first\",\"split\":false}",
        "{\"type\":\"Strip\",\"content\":\" \",\"start\":1,\"stop\":0}",
        "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"[aeiou]+\"},\"content\":\"<v>\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"the\"},\"content\":\"\"}",
        "{\"type\":\"Replace\",\"pattern\":{\"String\":\"▁\"},\"content\":\"\ud83d\ude00\"}",
        """
        {"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Metaspace","replacement":"▁","add_prefix_space":true}]}""",
        """
        {"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"never"},
        {"type":"Strip","content":" ","start":2,"stop":0}]}""",
        """
        {"type":"Sequence","decoders":[{"type":"Sequence","decoders":[{"type":"Strip","content":"▁","start":0,"stop":1}]},
        {"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},{"type":"Fuse"}]}""",
        """
        {"type":"Sequence","decoders":[{"type":"BPEDecoder","suffix":"</w>"},{"type":"Fuse"},
        {"type":"Replace","pattern":{"String":"a"},"content":"bb"},{"type":"Strip","content":"b","start":1,"stop":0}]}"""})
    void shouldGiveTheTextOfTheLibrary(String decoder) throws IOException {
        boolean strips = decoder.contains("\"stop\":1");
        TokenizersLibrary library = TokenizerLibrary.load();
        long handle = library.createTokenizerFromString(json(decoder));
        Random random = new Random(1);
        try (Tokenizer tokenizer = load(decoder)) {
            for (int i = 0; i < 4000; i++) {
                // The library panics where it strips the end of nothing.
                int[] ids = random.ints(random.nextInt(8), 0, strips ? TOKENS.length - 1 : TOKEN_COUNT).toArray();
                if (ids.length == 0 && decoder.contains("BPEDecoder")) {
                    continue; // and of no tokens
                }
                boolean keeps = random.nextBoolean();
                String text = tokenizer.decode(ids, keeps);
                String expected = decode(library, handle, ids, keeps);
                if (expected == null) {
                    continue;
                }
                String shown = Arrays.toString(ids) + Arrays.toString(Arrays.stream(ids).mapToObj(tokenizer::text).toArray());
                if (decoder.contains("ByteFallback") && expected.contains("\uFFFD")) {
                    assertTrue(text.contains("\uFFFD"), shown); // of a row with one bad byte, the library drops all
                } else {
                    assertEquals(expected, text, shown);
                }
                assertEquals(text, streamed(tokenizer.decoder(keeps), ids), shown);
            }
        } finally {
            library.deleteTokenizer(handle);
        }
    }

    private static String decode(TokenizersLibrary library, long handle, int[] ids, boolean keepsSpecial) {
        try {
            return library.decode(handle, Arrays.stream(ids).asLongStream().toArray(), !keepsSpecial);
        } catch (RuntimeException e) {
            return null; // a panic, such as on no tokens where it takes the last one
        }
    }

    private static String streamed(TokenDecoder decoder, int[] ids) {
        StringBuilder text = new StringBuilder();
        for (int id : ids) {
            String part = decoder.add(id);
            assertTrue(Utf16.isWellFormed(part));
            text.append(part);
        }
        return text.append(decoder.end()).toString();
    }

    /** Of bytes that are not valid, as many characters as in the library. */
    @Test
    void shouldReplaceWhatIsNotValid() throws IOException {
        JsonObject vocabulary = new JsonObject();
        for (int b = 0; b < 256; b++) {
            boolean visible = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            int other = b <= ' ' ? b : b <= 0xa0 ? b - 0x7f + 33 : 67;
            vocabulary.addProperty(Character.toString(visible ? b : 256 + other), b);
        }
        String json = json(BYTES, "", "a", vocabulary);
        TokenizersLibrary library = TokenizerLibrary.load();
        long handle = library.createTokenizerFromString(json);
        Random random = new Random(2);
        int[] telling = {0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4,
            0xf5, 0xff};
        try (Tokenizer tokenizer = Tokenizer.load(Files.writeString(directory.resolve("tokenizer.json"), json))) {
            for (int i = 0; i < 20_000; i++) {
                int[] ids = IntStream.range(0, random.nextInt(7)).map(k -> telling[random.nextInt(telling.length)]).toArray();
                assertEquals(decode(library, handle, ids, true), tokenizer.decode(ids), Arrays.toString(ids));
            }
        } finally {
            library.deleteTokenizer(handle);
        }
    }

    @Test
    void shouldHoldBackWhatIsNoCharacterYet() throws IOException {
        try (Tokenizer tokenizer = load(BYTES)) {
            TokenDecoder decoder = tokenizer.decoder(false);
            assertEquals("", decoder.add(tokenizer.id("ð")));
            assertEquals("", decoder.add(tokenizer.id("Ł")));
            assertEquals("", decoder.add(tokenizer.id("ĺ")));
            assertEquals("\ud83d\ude00", decoder.add(tokenizer.id("Ģ")));
            assertEquals("你", decoder.add(tokenizer.id("ä½ł")));
            assertEquals("", decoder.add(tokenizer.id("å¥")));
            assertEquals("好 the".substring(0, 1), decoder.add(tokenizer.id("½")));
            assertEquals("", decoder.add(tokenizer.id("ð")));
            assertEquals("\uFFFD", decoder.end());
            assertEquals(" the", decoder.add(tokenizer.id("Ġthe")));
        }
        try (Tokenizer tokenizer = load(LLAMA)) {
            TokenDecoder decoder = tokenizer.decoder(false);
            assertEquals("", decoder.add(tokenizer.id("<s>")));
            assertEquals("the", decoder.add(tokenizer.id("▁the")));
            assertEquals("", decoder.add(tokenizer.id("<0xE4>")) + decoder.add(tokenizer.id("<0xB8>")));
            assertEquals("世", decoder.add(tokenizer.id("<0x96>")));
            assertEquals(" the", decoder.add(tokenizer.id("▁the")));
            assertEquals("<call>", decoder.add(tokenizer.id("<call>")));
            assertEquals("", decoder.add(tokenizer.id("<|end|>")) + decoder.end());
        }
    }

    @Test
    void shouldAllocateNothingOnceWarm() throws IOException {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (String parts : new String[] {BYTES, LLAMA, "{\"type\":\"WordPiece\",\"prefix\":\"##\",\"cleanup\":true}"}) {
            try (Tokenizer tokenizer = load(parts)) {
                TokenDecoder decoder = tokenizer.decoder(true);
                StringBuilder text = new StringBuilder(1 << 12);
                long least = Long.MAX_VALUE;
                for (int round = 0; round < 20 && least > 0; round++) {
                    long before = threads.getCurrentThreadAllocatedBytes();
                    for (int id = 0; id < TOKEN_COUNT; id++) {
                        text.setLength(0);
                        decoder.add(id, text);
                    }
                    decoder.end(text);
                    least = Math.min(least, threads.getCurrentThreadAllocatedBytes() - before);
                }
                assertEquals(0, least, parts);
            }
        }
    }

    @Test
    void shouldRefuseIdsAndDecodersThatItDoesNotKnow() throws IOException {
        try (Tokenizer tokenizer = load(BYTES)) {
            for (int id : new int[] {-1, TOKEN_COUNT, Integer.MAX_VALUE}) {
                String message = assertThrows(IllegalArgumentException.class, () -> tokenizer.decode(new int[] {id})).getMessage();
                assertEquals("expected an id from 0 to " + (TOKEN_COUNT - 1) + ", got " + id, message);
            }
        }
        for (String unknown : new String[] {"{\"type\":\"CTC\"}", "{\"type\":\"BPEDecoder\",\"suffix\":\"\"}",
            "{\"type\":\"Strip\",\"content\":\"ab\",\"start\":0,\"stop\":0}", "{\"type\":\"Strip\",\"content\":\"a\",\"start\":-1}",
            "{\"type\":\"Replace\",\"pattern\":{\"Regex\":\"(\"},\"content\":\"\"}", "{\"type\":\"Sequence\",\"decoders\":[5]}",
            "{\"type\":\"Sequence\",\"decoders\":[{\"type\":\"Fuse\"},{\"type\":\"ByteFallback\"}]}"}) {
            try (Tokenizer tokenizer = load(unknown)) {
                assertEquals(1, tokenizer.encode("a").length);
                String message = assertThrows(IllegalStateException.class, () -> tokenizer.decode(new int[] {1})).getMessage();
                assertTrue(message.contains("decoder") && message.contains("tokenizer.json"), message);
            }
        }
    }

    @Test
    void shouldKnowWhatSpecialTokensAreFor() throws IOException {
        Files.writeString(directory.resolve("tokenizer_config.json"), "{\"bos_token\":\"<s>\",\"eos_token\":{\"content\":\"</s>\"}}");
        Files.writeString(directory.resolve("tokenizer.json"), json("null"));
        try (Tokenizer tokenizer = Tokenizer.load(directory, "llama")) {
            assertEquals(1, tokenizer.id(SpecialToken.BOS));
            assertEquals(2, tokenizer.id(SpecialToken.EOS));
            assertEquals(0, tokenizer.id(SpecialToken.UNK));
            assertEquals(TOKENS.length + 1, tokenizer.id(SpecialToken.EOT));
            assertEquals(-1, tokenizer.id(SpecialToken.PAD));
            assertArrayEquals(new int[] {2, TOKENS.length + 1}, tokenizer.endIds());
            assertTrue(tokenizer.isSpecial(2));
            assertFalse(tokenizer.isSpecial(TOKENS.length) || tokenizer.isSpecial(0) || tokenizer.isSpecial(-1));
        }
    }

    /** What a user writes must not end a turn. */
    @Test
    void shouldTakeSpecialTokensForTextWhereThatIsAsked() throws IOException {
        try (Tokenizer tokenizer = load("null")) {
            assertArrayEquals(new int[] {6, 2, TOKENS.length, 6}, tokenizer.encode("a </s><call> a"));
            assertArrayEquals(new int[] {6, 0, TOKENS.length, 6}, tokenizer.encodeVerbatim("a x</s><call> a"));
            assertArrayEquals(new int[] {6, 2, TOKENS.length, 6}, tokenizer.encode("a </s><call> a"));
        }
        try (Tokenizer tokenizer = Tokenizer.load(directory.resolve("tokenizer.json"), true)) {
            assertThrows(IllegalStateException.class, () -> tokenizer.encodeVerbatim("a"));
        }
    }
}
