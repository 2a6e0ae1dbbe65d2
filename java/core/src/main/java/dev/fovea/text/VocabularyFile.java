package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.ReadableFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A {@code vocab.txt}, one token a line: the whole tokenizer of BERT, Devlin et al., arXiv:1810.04805, in its first
 * form. What the {@code tokenizer.json} of the same tokenizer says beside the vocabulary is made of the settings.
 */
final class VocabularyFile {
    private static final long MAX_BYTES = 1 << 26;

    private final Path file;
    private final TokenizerSettings settings;
    private final Map<String, Integer> ids = new LinkedHashMap<>();

    private VocabularyFile(Path file, TokenizerSettings settings) {
        this.file = file;
        this.settings = settings;
    }

    /** The {@code tokenizer.json} that stands for a vocabulary. */
    static byte[] toTokenizerJson(Path file, TokenizerSettings settings) throws IOException {
        if (!settings.isBertLike()) {
            throw new FormatException(file, -1, "tokenizer", "without a tokenizer.json, this is read for BERT's"
                    + " tokenizers alone, and not for " + settings.kind());
        }
        var vocabulary = new VocabularyFile(file, settings);
        vocabulary.read();
        return vocabulary.json().toString().getBytes(StandardCharsets.UTF_8);
    }

    private void read() throws IOException {
        ReadableFile.require(file);
        if (Files.size(file) > MAX_BYTES) {
            throw new FormatException(
                    file, 0, "size", "expected at most " + MAX_BYTES + " bytes, got " + Files.size(file));
        }
        try {
            int line = 0;
            for (String token : Files.readString(file).split("\r\n|\r|\n", -1)) {
                ids.put(token, line++);
            }
            if (ids.getOrDefault("", -1) == line - 1) {
                ids.remove(""); // what follows the last line's end is no line
            }
        } catch (CharacterCodingException e) {
            throw new FormatException(file, -1, "text", "not valid UTF-8", e);
        }
    }

    private JsonObject json() throws FormatException {
        boolean mpnet = settings.isMpnet();
        String unknown = settings.special("unk_token", "[UNK]");
        String first = settings.special("cls_token", mpnet ? "<s>" : "[CLS]");
        String last = settings.special("sep_token", mpnet ? "</s>" : "[SEP]");
        JsonObject json = new JsonObject();
        json.addProperty("version", "1.0");
        json.add("added_tokens", addedTokens(unknown, first, last, settings.special("pad_token", mpnet ? "<pad>" : "[PAD]"),
                settings.special("mask_token", mpnet ? "<mask>" : "[MASK]")));
        json.add("normalizer", normalizer());
        json.add("pre_tokenizer", typed("BertPreTokenizer"));
        json.add("post_processor", template(first, last));
        JsonObject model = typed("WordPiece");
        model.addProperty("unk_token", unknown);
        model.addProperty("continuing_subword_prefix", "##");
        model.addProperty("max_input_chars_per_word", 100);
        JsonObject vocabulary = new JsonObject();
        ids.forEach(vocabulary::addProperty);
        model.add("vocab", vocabulary);
        json.add("model", model);
        return json;
    }

    private JsonObject normalizer() throws FormatException {
        JsonObject normalizer = typed("BertNormalizer");
        normalizer.addProperty("clean_text", true);
        normalizer.addProperty("handle_chinese_chars", settings.chineseChars());
        normalizer.add("strip_accents", settings.stripAccents());
        normalizer.addProperty("lowercase", settings.lowerCase());
        return normalizer;
    }

    private JsonObject template(String first, String last) throws FormatException {
        JsonObject tokens = new JsonObject();
        JsonArray single = new JsonArray();
        for (String part : List.of(first, "A", last)) {
            boolean text = part.equals("A");
            JsonObject place = new JsonObject();
            place.addProperty("id", part);
            place.addProperty("type_id", 0);
            JsonObject piece = new JsonObject();
            piece.add(text ? "Sequence" : "SpecialToken", place);
            single.add(piece);
            if (!text) {
                JsonObject token = new JsonObject();
                JsonArray tokenIds = new JsonArray();
                tokenIds.add(id(part));
                token.add("ids", tokenIds);
                tokens.add(part, token);
            }
        }
        JsonObject template = typed("TemplateProcessing");
        template.add("single", single);
        template.add("special_tokens", tokens);
        return template;
    }

    private JsonArray addedTokens(String... contents) throws FormatException {
        List<JsonObject> tokens = new ArrayList<>();
        for (String content : contents) {
            if (ids.containsKey(content)) {
                JsonObject token = new JsonObject();
                token.addProperty("id", id(content));
                token.addProperty("content", content);
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
                    token.addProperty(flag, false);
                }
                token.addProperty("special", true);
                tokens.add(token);
            }
        }
        JsonArray array = new JsonArray();
        tokens.forEach(array::add);
        return array;
    }

    private int id(String token) throws FormatException {
        Integer id = ids.get(token);
        if (id == null) {
            throw new FormatException(file, -1, "token", "expected the special token " + Excerpt.of(token)
                    + " among the " + ids.size() + " tokens");
        }
        return id;
    }

    private static JsonObject typed(String type) {
        JsonObject json = new JsonObject();
        json.addProperty("type", type);
        return json;
    }
}
