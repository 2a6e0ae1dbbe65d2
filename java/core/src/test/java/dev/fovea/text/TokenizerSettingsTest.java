package dev.fovea.text;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files that say different things about one tokenizer, against what transformers makes of them. */
class TokenizerSettingsTest {
    @TempDir
    private Path directory;

    @TestFactory
    Stream<DynamicTest> shouldResolveSettingsAsTransformersDoes() throws IOException {
        JsonObject golden = golden();
        JsonArray texts = golden.getAsJsonArray("texts");
        return golden.getAsJsonArray("cases").asList().stream().map(element -> {
            JsonObject example = element.getAsJsonObject();
            String name = example.get("name").getAsString();
            return DynamicTest.dynamicTest(name, () -> {
                Path folder = Files.createDirectory(directory.resolve(name.replaceAll("\\W", "_")));
                write(folder, example.getAsJsonObject("files"));
                try (Tokenizer tokenizer = Tokenizer.load(folder, "bert")) {
                    for (int i = 0; i < texts.size(); i++) {
                        assertEquals(example.getAsJsonArray("ids").get(i).toString().replace(" ", ""),
                                ids(tokenizer, texts.get(i).getAsString()).toString().replace(" ", ""),
                                texts.get(i).toString());
                    }
                }
            });
        });
    }

    @Test
    void shouldTakeATokenizerJsonAloneAsItIs() throws IOException {
        write(directory, files("do_lower_case true against no lowercase"));
        Files.delete(directory.resolve("tokenizer_config.json"));
        try (Tokenizer tokenizer = Tokenizer.load(directory, "bert")) {
            assertEquals(List.of(2, 6, 5, 3), ids(tokenizer, "Hello hello"));
        }
    }

    @Test
    void shouldKnowTheVocabularyOfAFileOfLines() throws IOException {
        Files.writeString(directory.resolve("vocab.txt"), "[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\na\r\nb\r\na");
        try (Tokenizer tokenizer = Tokenizer.load(directory, "bert")) {
            assertEquals(List.of(2, 6, 5, 3), ids(tokenizer, "A b"));
            assertEquals(7, tokenizer.vocabularySize());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"tokenizer_class\": \"BertJapaneseTokenizer\"} | tokenizer_class | expected a class that reads tokenizer.json, got"
                + " \"BertJapaneseTokenizer\"",
        "{\"auto_map\": {\"AutoTokenizer\": [\"a.B\", null]}} | auto_map | expected no tokenizer of the model's own code, got"
                + " {\"AutoTokenizer\":[\"a.B\",null]}",
        "{\"split_special_tokens\": true} | split_special_tokens | expected false, got true",
        "{\"do_basic_tokenize\": false} | do_basic_tokenize | expected true, got false",
        "{\"never_split\": [\"a\"]} | never_split | expected nothing, got [\"a\"]",
        "{\"clean_text\": false} | clean_text | expected true as in tokenizer.json, got false",
        "{\"cls_token\": \"<s>\"} | cls_token | expected \"[CLS]\" as in tokenizer.json, got \"<s>\"",
        "{\"sep_token\": {\"content\": \"</s>\"}} | sep_token | expected \"[SEP]\" as in tokenizer.json, got"
                + " {\"content\":\"</s>\"}",
        "{\"unk_token\": \"<unk>\"} | unk_token | expected \"[UNK]\" as in tokenizer.json, got \"<unk>\"",
        "{\"added_tokens_decoder\": {\"7\": {\"content\": \"<url>\"}}} | added_tokens_decoder.7.id | token '<url>' has the id 7"
                + " here, but 34 by the vocabulary",
        "{\"do_lower_case\": \"yes\"} | do_lower_case | expected true or false, got \"yes\""
    })
    void shouldRefuseWhatIsNotSupportedOrContradicts(String config, String field, String problem) throws IOException {
        write(directory, files("agreement"));
        Path file = directory.resolve("tokenizer_config.json");
        Files.writeString(file, config);
        var e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "bert"));
        assertEquals(List.of(file, field, problem), List.of(e.file(), e.field(), e.problem()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "{\"do_lower_case\": true} | do_lower_case | null",
        "{\"do_lower_case\": false} | do_lower_case | {\"type\": \"Sequence\", \"normalizers\": [{\"type\": \"Lowercase\"}]}",
        "{\"strip_accents\": true} | strip_accents | {\"type\": \"NFC\"}"
    })
    void shouldRefuseSettingsThatAnotherNormalizerContradicts(String config, String field, String normalizer)
            throws IOException {
        JsonObject files = files("agreement");
        JsonObject tokenizer = JsonParser.parseString(files.get("tokenizer.json").getAsString()).getAsJsonObject();
        tokenizer.add("normalizer", JsonParser.parseString(normalizer));
        files.addProperty("tokenizer.json", tokenizer.toString());
        files.addProperty("tokenizer_config.json", config);
        write(directory, files);
        var e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "bert"));
        assertEquals(field, e.field());
        assertEquals(true, e.problem().contains("as the normalizer of tokenizer.json, "), e.problem());
    }

    @Test
    void shouldReadTheOtherFilesToo() throws IOException {
        write(directory, files("agreement"));
        Files.writeString(directory.resolve("special_tokens_map.json"), "{\"cls_token\": \"[MASK]\"}");
        var e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "bert"));
        assertEquals(directory.resolve("special_tokens_map.json"), e.file());
        Files.writeString(directory.resolve("special_tokens_map.json"), "{\"mask_token\": \"[MASK]\"}");
        Files.writeString(directory.resolve("added_tokens.json"), "{\"<tag>\": 29, \"<url>\": 34}");
        try (Tokenizer tokenizer = Tokenizer.load(directory, "bert")) {
            assertEquals(List.of(2, 22, 29, 34, 3), ids(tokenizer, "x <tag><url>"));
            assertEquals(35, tokenizer.vocabularySize());
        }
        Files.writeString(directory.resolve("added_tokens.json"), "{\"<url>\": 40}");
        e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "bert"));
        assertEquals("token '<url>' has the id 40 here, but 34 by the vocabulary", e.problem());
    }

    @Test
    void shouldNameAVocabularyThatIsNoTokenizer() throws IOException {
        Path file = directory.resolve("vocab.txt");
        Files.writeString(file, "a\nb\n");
        var e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "bert"));
        assertEquals("expected the special token [CLS] among the 2 tokens", e.problem());
        e = assertThrows(FormatException.class, () -> Tokenizer.load(directory, "roberta"));
        assertEquals("without a tokenizer.json, this is read for BERT's tokenizers alone, and not for model_type roberta", e.problem());
    }

    private static List<Integer> ids(Tokenizer tokenizer, String text) {
        List<Integer> ids = new ArrayList<>();
        for (int[] part : List.of(tokenizer.prefix(), tokenizer.encode(text), tokenizer.suffix())) {
            for (int id : part) {
                ids.add(id);
            }
        }
        return ids;
    }

    private static JsonObject files(String name) throws IOException {
        return golden().getAsJsonArray("cases").asList().stream().map(element -> element.getAsJsonObject())
                .filter(example -> example.get("name").getAsString().equals(name)).findFirst().orElseThrow()
                .getAsJsonObject("files");
    }

    private static JsonObject golden() throws IOException {
        try (var in = TokenizerSettingsTest.class.getResourceAsStream("tokenizer-settings.json")) {
            return JsonParser.parseReader(new InputStreamReader(in, StandardCharsets.UTF_8)).getAsJsonObject();
        }
    }

    private static void write(Path folder, JsonObject files) throws IOException {
        for (String name : files.keySet()) {
            Files.writeString(folder.resolve(name), files.get(name).getAsString());
        }
    }
}
