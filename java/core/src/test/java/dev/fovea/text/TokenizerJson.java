package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A small, valid {@code tokenizer.json}, to be changed by tests. */
final class TokenizerJson {
    final JsonObject root = JsonParser.parseString("""
            {"version": "1.0",
             "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
             "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                         "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"},
             "added_tokens": [
               {"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true},
               {"id": 3, "content": "[SEP]", "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true},
               {"id": 11, "content": "<new>", "single_word": false, "lstrip": true, "rstrip": false,
                "normalized": true, "special": false}],
             "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
                            "strip_accents": null, "lowercase": true},
             "pre_tokenizer": {"type": "BertPreTokenizer"},
             "post_processor": {"type": "TemplateProcessing",
               "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                          {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
               "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                                  "[SEP]": {"id": "[SEP]", "ids": [3], "tokens": ["[SEP]"]}}},
             "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
             "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 100,
               "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "un": 4, "##affable": 5, "##able": 6,
                         "aff": 7, "世": 8, "!": 9, "\\"\\\\": 10}}}
            """).getAsJsonObject();

    /** Sets the value at a path such as {@code model.vocab} or {@code added_tokens.0.id}; null removes it. */
    TokenizerJson set(String path, String json) {
        JsonElement parent = root;
        String[] keys = path.split("\\.");
        for (int i = 0; i < keys.length - 1; i++) {
            parent = parent instanceof JsonArray array
                    ? array.get(Integer.parseInt(keys[i]))
                    : parent.getAsJsonObject().get(keys[i]);
        }
        String last = keys[keys.length - 1];
        if (json == null) {
            parent.getAsJsonObject().remove(last);
        } else if (parent instanceof JsonArray array) {
            array.set(Integer.parseInt(last), JsonParser.parseString(json));
        } else {
            parent.getAsJsonObject().add(last, JsonParser.parseString(json));
        }
        return this;
    }

    Path write(Path file) throws IOException {
        return Files.writeString(file, root.toString());
    }
}
