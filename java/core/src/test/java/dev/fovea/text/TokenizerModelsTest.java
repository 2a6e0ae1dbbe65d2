package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fovea.model.ModelCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The tokenizers of the named models against the library itself, which is given their files as they are. */
class TokenizerModelsTest {
    private static final List<String> TEXTS = List.of(
            "", " ", "a", "How do I reset my password?", "Wie setze ich mein Paßwort zurück? Äöü, naïve façade",
            "如何重置我的密码？", "混合 mixed 文本 text", "literal [SEP] and [CLS][MASK] and [PAD]", "[mask] [ SEP ] [UNK]",
            "emoji 😀👩‍👩‍👧‍👦🏳️‍🌈 and é and e\u0301", "int main(void) { return x->y[3] << 2; }\n\t// comment",
            "null\u0000char, tab\t, no-break\u00a0space, zero\u200bwidth", "supercalifragilisticexpialidocious",
            "x".repeat(300), "un " + "word ".repeat(700), "ﬁ ligature, ½, ①, Ⅷ, ㎏", "العربية עברית हिन्दी ไทย 한국어 日本語",
            "\uFFFD\uFFFE\u00AD", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈");

    private static Path tokenizerJson(String model) throws IOException {
        return ModelCatalog.directory(ModelCatalog.find(model).orElseThrow()).resolve("tokenizer.json");
    }

    /** The library's own tokenizer, with special tokens, and truncated to {@code limit} tokens. */
    private static int[] reference(TokenizersLibrary library, long handle, String text, int limit) {
        library.disablePadding(handle);
        library.setTruncation(handle, limit, "LONGEST_FIRST", 0);
        long encoding = library.encode(handle, text, true);
        int[] ids = Arrays.stream(library.getTokenIds(encoding)).mapToInt(Math::toIntExact).toArray();
        library.deleteEncoding(encoding);
        return ids;
    }

    private static int[] truncated(Tokenizer tokenizer, String text, int limit) {
        int[] prefix = tokenizer.prefix();
        int[] suffix = tokenizer.suffix();
        int[] body = tokenizer.encode(text);
        int kept = Math.min(body.length, limit - prefix.length - suffix.length);
        return Stream.of(prefix, Arrays.copyOf(body, kept), suffix).flatMapToInt(Arrays::stream).toArray();
    }

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-en-v1.5", "e5-small-v2", "bge-small-zh-v1.5"})
    void shouldGiveWhatTheLibraryGivesWhenItTruncates(String model) throws IOException {
        Path file = tokenizerJson(model);
        TokenizersLibrary library = TokenizerLibrary.load();
        long handle = library.createTokenizerFromString(Files.readString(file));
        try (Tokenizer tokenizer = Tokenizer.load(file)) {
            for (String text : TEXTS) {
                for (int limit : new int[] {2, 3, 4, 16, 128, 256, 512, 4096}) {
                    assertArrayEquals(reference(library, handle, text, limit), truncated(tokenizer, text, limit),
                            () -> "'" + text + "' at " + limit);
                }
            }
        } finally {
            library.deleteTokenizer(handle);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "all-minilm-l6-v2,  30522, 101, 102",
        "bge-small-en-v1.5, 30522, 101, 102",
        "e5-small-v2,       30522, 101, 102",
        "bge-small-zh-v1.5, 21128, 101, 102",
    })
    void shouldKnowVocabularyAndSpecialTokens(String model, int size, int cls, int sep) throws IOException {
        try (Tokenizer tokenizer = Tokenizer.load(tokenizerJson(model))) {
            assertEquals(size, tokenizer.vocabularySize());
            assertArrayEquals(new int[] {cls}, tokenizer.prefix());
            assertArrayEquals(new int[] {sep}, tokenizer.suffix());
            assertEquals(List.of("[SEP]", "[MASK]"), tokenizer.tokens("[SEP][MASK]"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-zh-v1.5"})
    void shouldStayWithinVocabularyWhateverTheTextIs(String model) throws IOException {
        Random random = new Random(7);
        try (Tokenizer tokenizer = Tokenizer.load(tokenizerJson(model))) {
            for (int i = 0; i < 2000; i++) {
                String text = random.ints(random.nextInt(40), 0, 1 << (4 + random.nextInt(13)))
                        .collect(StringBuilder::new, (out, c) -> out.append((char) c), StringBuilder::append)
                        .toString();
                for (int id : tokenizer.encode(text)) {
                    assertTrue(id >= 0 && id < tokenizer.vocabularySize(), () -> "id " + id);
                }
            }
        }
    }
}
