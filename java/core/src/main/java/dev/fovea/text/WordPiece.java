package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * BERT's tokenizer, Devlin et al., arXiv:1810.04805, as a {@code tokenizer.json} would say it.
 *
 * @param file that has the vocabulary, for errors
 * @param ids of the tokens
 * @param lowerCase whether texts are lower-cased
 * @param stripAccents true, false, or null for what {@code lowerCase} says
 * @param chineseChars whether each of them is a word
 */
record WordPiece(Path file, Map<String, Integer> ids, Specials specials, boolean lowerCase, JsonElement stripAccents,
        boolean chineseChars) {
    /** The special tokens; those that the vocabulary has not are left out, if they stand around no text. */
    record Specials(String unknown, String first, String last, String padding, String mask) {}

    /** The {@code tokenizer.json}. */
    JsonObject json() throws FormatException {
        JsonObject json = new JsonObject();
        json.addProperty("version", "1.0");
        json.add("added_tokens", addedTokens(
                specials.unknown, specials.first, specials.last, specials.padding, specials.mask));
        json.add("normalizer", normalizer());
        json.add("pre_tokenizer", typed("BertPreTokenizer"));
        json.add("post_processor", template(specials.first, specials.last));
        JsonObject model = typed("WordPiece");
        model.addProperty("unk_token", specials.unknown);
        model.addProperty("continuing_subword_prefix", "##");
        model.addProperty("max_input_chars_per_word", 100);
        JsonObject vocabulary = new JsonObject();
        ids.forEach(vocabulary::addProperty);
        model.add("vocab", vocabulary);
        json.add("model", model);
        return json;
    }

    private JsonObject normalizer() {
        JsonObject normalizer = typed("BertNormalizer");
        normalizer.addProperty("clean_text", true);
        normalizer.addProperty("handle_chinese_chars", chineseChars);
        normalizer.add("strip_accents", stripAccents);
        normalizer.addProperty("lowercase", lowerCase);
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
