package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.model.ModelCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A small part of what {@code src/test/tokenizers/campaign.sh} compares: the tokenizer in Java against the library. */
class EqualityTest {
    private static final int TEXTS = 4000;

    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"all-minilm-l6-v2", "bge-small-zh-v1.5"})
    void shouldGiveTheIdsOfTheLibrary(String model) throws IOException {
        compare(ModelCatalog.directory(ModelCatalog.find(model).orElseThrow()).resolve("tokenizer.json"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"bytes", "pieces", "cased"})
    void shouldGiveThemForOtherKinds(String kind) throws IOException {
        String json = switch (kind) {
            case "bytes" -> TokenizerKindsTest.bytes();
            case "pieces" -> TokenizerKindsTest.pieces();
            default -> new TokenizerJson().set("normalizer.lowercase", "false").root.toString();
        };
        compare(Files.writeString(directory.resolve("tokenizer.json"), json));
    }

    private static void compare(Path file) throws IOException {
        try (Tokenizer java = Tokenizer.load(file, false); Tokenizer library = Tokenizer.load(file, true)) {
            EqualityCampaign campaign = new EqualityCampaign(java, library);
            for (int c = 0; c <= Character.MAX_CODE_POINT; c += c < 0x3000 ? 1 : 37) {
                if (c < 0xD800 || c > 0xDFFF) {
                    campaign.compare("in" + Character.toString(c) + "ner " + Character.toString(c) + "\u0301", c % 64 == 0);
                }
            }
            campaign.texts(TEXTS, 1);
            assertEquals(0, campaign.failures(), () -> "texts differ, see the output; the first is " + campaign.first());
        }
    }

    /** Texts that random ones hardly hit: unlike marks that stay, and a way with an unknown character that is almost best. */
    @Test
    void shouldGiveThemWhereItIsClose() throws IOException {
        String bert = ComponentJson.tokenizer("{\"type\":\"BertNormalizer\",\"clean_text\":true,"
                + "\"handle_chinese_chars\":true,\"strip_accents\":true,\"lowercase\":true}", "null", ComponentJson.words(),
                List.of());
        compareText(bert, "a\u302e\ud81b\udff0\u0301 b");
        String pieces = ComponentJson.tokenizer("null", "null", "{\"type\":\"Unigram\",\"unk_id\":0,\"byte_fallback\":false,"
                + "\"vocab\":[[\"<unk>\",0],[\"y\",-9.5],[\"ya\",0],[\"ax\",-9.5],[\"b\",0]]}", List.of());
        compareText(pieces, "yaxb");
    }

    private void compareText(String json, String text) throws IOException {
        Path file = Files.writeString(directory.resolve("tokenizer.json"), json);
        try (Tokenizer java = Tokenizer.load(file, false); Tokenizer library = Tokenizer.load(file, true)) {
            assertEquals(library.tokens(text), java.tokens(text));
            assertArrayEquals(library.encode(text), java.encode(text));
        }
    }

    @Test
    void shouldGiveThemForEachPart() throws IOException {
        ComponentCampaign campaign = new ComponentCampaign(directory.resolve("tokenizer.json"), 1, 30);
        assertEquals(0, campaign.parts(), "tokenizers differ, see the output");
        assertEquals(0, campaign.random(60), "tokenizers differ, see the output");
    }
}
