package dev.fovea.text;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.weights.GgufBytes;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Small vocabularies, as {@code tokenizer.json} and as converters write the same to GGUF. */
final class GgufVocabularies {
    static final int NORMAL = 1;
    static final int UNKNOWN = 2;
    static final int CONTROL = 3;
    static final int USER_DEFINED = 4;
    static final int UNUSED = 5;
    static final int BYTE = 6;

    private final List<String> tokens = new ArrayList<>();
    private final List<Integer> types = new ArrayList<>();
    private final List<Float> scores = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();
    private final Map<String, Object> values = new LinkedHashMap<>();
    private byte[] charsmap;

    /** Adds a token. */
    GgufVocabularies token(String text, int type, double score) {
        tokens.add(text);
        types.add(type);
        scores.add((float) score);
        return this;
    }

    GgufVocabularies merge(String merge) {
        merges.add(merge);
        return this;
    }

    /** Sets a key behind {@code tokenizer.ggml.} to a text, a truth value or an id. */
    GgufVocabularies set(String key, Object value) {
        values.put(key, value);
        return this;
    }

    byte[] toBytes() {
        GgufBytes file = new GgufBytes().pair("general.architecture", GgufBytes.STRING, "llama");
        values.forEach((key, value) -> {
            String whole = key.contains(".") ? key : "tokenizer.ggml." + key;
            switch (value) {
                case String text -> file.pair(whole, GgufBytes.STRING, text);
                case Boolean flag -> file.pair(whole, GgufBytes.BOOL, (byte) (flag ? 1 : 0));
                default -> file.pair(whole, GgufBytes.UINT32, value);
            }
        });
        array(file, "tokens", GgufBytes.STRING, tokens);
        array(file, "token_type", GgufBytes.INT32, types);
        if (merges.isEmpty()) {
            array(file, "scores", GgufBytes.FLOAT32, scores);
        } else {
            array(file, "merges", GgufBytes.STRING, merges);
        }
        if (charsmap != null) {
            file.pair("tokenizer.ggml.precompiled_charsmap", GgufBytes.ARRAY, 0, (long) charsmap.length, charsmap);
        }
        return file.toBytes();
    }

    private static void array(GgufBytes file, String key, int type, List<?> elements) {
        List<Object> parts = new ArrayList<>(List.of(type, (long) elements.size()));
        parts.addAll(elements);
        file.pair("tokenizer.ggml." + key, GgufBytes.ARRAY, parts.toArray());
    }

    /** What a converter makes of BPE of bytes. */
    static GgufVocabularies ofBytes(String json, String pre) {
        JsonObject root = JsonParser.parseString(json).getAsJsonObject();
        GgufVocabularies made = new GgufVocabularies().set("model", "gpt2").set("pre", pre).set("bos_token_id", 0)
                .set("eos_token_id", 1).set("add_bos_token", true).set("add_eos_token", true);
        Map<Integer, String> byId = new TreeMap<>();
        root.getAsJsonObject("model").getAsJsonObject("vocab").entrySet().forEach(e -> byId.put(e.getValue().getAsInt(), e.getKey()));
        byId.forEach((id, token) -> made.token(token, id < 2 ? CONTROL : NORMAL, 0));
        for (JsonElement merge : root.getAsJsonObject("model").getAsJsonArray("merges")) {
            made.merge(merge.getAsString());
        }
        return made;
    }

    /** What a converter makes of a unigram model. */
    static GgufVocabularies ofPieces(String json) {
        JsonObject root = JsonParser.parseString(json).getAsJsonObject();
        GgufVocabularies made = new GgufVocabularies().set("model", "t5").set("pre", "default").set("bos_token_id", 0)
                .set("eos_token_id", 1).set("unknown_token_id", 2).set("add_bos_token", true).set("add_space_prefix", true)
                .set("remove_extra_whitespaces", true);
        for (JsonElement piece : root.getAsJsonObject("model").getAsJsonArray("vocab")) {
            int id = made.tokens.size();
            made.token(piece.getAsJsonArray().get(0).getAsString(), id < 2 ? CONTROL : id == 2 ? UNKNOWN : NORMAL,
                    piece.getAsJsonArray().get(1).getAsDouble());
        }
        made.charsmap = Base64.getDecoder().decode(root.getAsJsonObject("normalizer").getAsJsonArray("normalizers").get(0)
                .getAsJsonObject().get("precompiled_charsmap").getAsString());
        return made;
    }

    private static final String[] PIECES = {"▁t", "er", "▁a", "he", "▁the", "an", "▁an", "nd", "▁and", "er▁", "in", "▁in", "ing",
        "aa", "aaa", "aaaa", "▁▁a", "世界", "<|", "|>", "▁th", "the"};
    private static final String LETTERS = "▁abcdefghinrst世界<|>.0x";

    /** BPE of characters as Llama 2 has it: by scores. */
    static GgufVocabularies ofScores(boolean prefixesSpace) {
        GgufVocabularies made = new GgufVocabularies().set("model", "llama").set("pre", "default")
                .set("add_space_prefix", prefixesSpace).token("<unk>", UNKNOWN, 0).token("<s>", CONTROL, 0)
                .token("</s>", CONTROL, 0);
        return characters(made).token("▁▁▁", NORMAL, -50).token("▁▁", NORMAL, -51).token("  x", USER_DEFINED, -1000)
                .token("\n\n", USER_DEFINED, -1000).token("<|im_end|>", NORMAL, -1000).token("[PAD0]", UNUSED, -10000)
                .token("    ", USER_DEFINED, -1000);
    }

    private static GgufVocabularies characters(GgufVocabularies made) {
        for (int b = 0; b < 256; b++) {
            made.token("<0x%02X>".formatted(b), BYTE, 0);
        }
        for (int i = 0; i < PIECES.length; i++) {
            made.token(PIECES[i], NORMAL, -i);
        }
        LETTERS.codePoints().forEach(letter -> made.token(Character.toString(letter), NORMAL, -100 - made.tokens.size()));
        return made;
    }

    /** The same by merges, as Gemma 4 has it. */
    static GgufVocabularies ofMerges() {
        GgufVocabularies made = new GgufVocabularies().set("model", "gemma4").set("unknown_token_id", 0).set("bos_token_id", 1)
                .set("eos_token_id", 2).token("<unk>", UNKNOWN, 0).token("<s>", CONTROL, 0).token("</s>", CONTROL, 0);
        characters(made).token("\n", NORMAL, 0).token("\n\n", NORMAL, 0);
        for (String merge : new String[] {"\n \n", "▁ t", "e r", "▁ a", "h e", "▁t he", "a n", "▁a n", "n d", "▁a nd", "世 界"}) {
            made.merge(merge);
        }
        return made;
    }
}
