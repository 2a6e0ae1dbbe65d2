package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufWriter;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Puts a {@code tokenizer.json} into the metadata of a GGUF file, as llama.cpp's converters do: BPE of bytes as "gpt2", BPE of
 * characters with pieces for bytes as "llama", Unigram as "t5", WordPiece as "bert".
 */
public final class GgufTokenizerWriter {
    private static final String PREFIX = GgufTokens.PREFIX;
    private static final String BPE = "BPE";
    private static final String TYPE = "type";

    private final Path file;
    private final JsonObject json;
    private final JsonObject model;
    private final Tokenizer tokenizer;
    private final GgufWriter out;
    private final String[] texts;
    private final GgufTokens.Type[] types;

    private GgufTokenizerWriter(Path file, JsonObject json, Tokenizer tokenizer, int vocabulary, GgufWriter out) {
        this.file = file;
        this.json = json;
        this.model = json.getAsJsonObject("model");
        this.tokenizer = tokenizer;
        this.out = out;
        this.texts = new String[vocabulary];
        this.types = new GgufTokens.Type[vocabulary];
    }

    /**
     * Puts it in.
     *
     * @param tokenizer the same, loaded with the files beside it
     * @param vocabulary rows of the table of embeddings
     * @throws FormatException if GGUF has no such tokenizer; the message says why
     */
    public static void put(Path tokenizerJson, Tokenizer tokenizer, int vocabulary, GgufWriter out) throws IOException {
        JsonObject json;
        try (Reader reader = Files.newBufferedReader(tokenizerJson)) {
            json = JsonParser.parseReader(reader).getAsJsonObject();
        } catch (JsonParseException | IllegalStateException e) {
            throw new FormatException(tokenizerJson, -1, "JSON", "expected the object of a tokenizer: " + e.getMessage(), e);
        }
        new GgufTokenizerWriter(tokenizerJson, json, tokenizer, vocabulary, out).put();
    }

    private void put() throws FormatException {
        String kind = model.has(TYPE) ? model.get(TYPE).getAsString() : BPE;
        switch (kind) {
            case BPE -> {
                readTokens();
                if (has(json.get("pre_tokenizer"), "ByteLevel")) {
                    bytes();
                } else {
                    characters();
                }
            }
            case "Unigram" -> pieces();
            case "WordPiece" -> words();
            default -> throw wrong("model.type", "BPE, Unigram or WordPiece, which are written as GGUF, got " + kind);
        }
        out.put(PREFIX + "tokens", List.of(texts));
        int[] numbers = new int[types.length];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = types[i].ordinal() + 1;
        }
        out.put(PREFIX + "token_type", numbers);
        roles();
    }

    /** All tokens by their ids; rows of the table without a token get names of their own. */
    private void readTokens() throws FormatException {
        if (model.get("vocab") instanceof JsonArray list) {
            for (int id = 0; id < list.size(); id++) {
                set(id, list.get(id).getAsJsonArray().get(0).getAsString(), GgufTokens.Type.NORMAL);
            }
        } else {
            for (var entry : model.getAsJsonObject("vocab").entrySet()) {
                set(entry.getValue().getAsInt(), entry.getKey(), GgufTokens.Type.NORMAL);
            }
        }
        for (JsonElement element : array(json, "added_tokens")) {
            JsonObject token = element.getAsJsonObject();
            boolean special = token.has("special") && token.get("special").getAsBoolean();
            set(token.get("id").getAsInt(), token.get("content").getAsString(),
                    special ? GgufTokens.Type.CONTROL : GgufTokens.Type.USER_DEFINED);
        }
        for (int id = 0; id < texts.length; id++) {
            if (texts[id] == null) {
                set(id, "[PAD" + id + "]", GgufTokens.Type.UNUSED);
            }
        }
        int unknown = tokenizer.id(SpecialToken.UNK);
        if (unknown >= 0 && unknown < types.length && types[unknown] != GgufTokens.Type.USER_DEFINED && model.has("byte_fallback")
                && model.get("byte_fallback").getAsBoolean()) {
            types[unknown] = GgufTokens.Type.UNKNOWN;
        }
    }

    private void set(int id, String text, GgufTokens.Type type) throws FormatException {
        if (id < 0 || id >= texts.length) {
            throw wrong("vocab", "ids below the " + texts.length + " rows of the embeddings, got " + id);
        }
        texts[id] = text;
        types[id] = type;
    }

    private void bytes() throws FormatException {
        out.put(PREFIX + "model", "gpt2");
        out.put(PREFIX + "pre", pre());
        out.put(PREFIX + "merges", merges());
        around(false);
    }

    /** The name of the way to split texts into words. */
    private String pre() throws FormatException {
        boolean ignores = model.has("ignore_merges") && model.get("ignore_merges").getAsBoolean();
        for (JsonElement element : GgufPreTokenizers.table().getAsJsonArray()) {
            JsonObject known = element.getAsJsonObject();
            if (plain(known.get("normalizer")).equals(plain(json.get("normalizer")))
                    && plain(known.get("pre_tokenizer")).equals(plain(json.get("pre_tokenizer")))
                    && GgufPreTokenizers.flag(known, "ignore_merges") == ignores) {
                return known.getAsJsonArray("names").get(0).getAsString();
            }
        }
        throw wrong("pre_tokenizer", "a way to split texts into words that GGUF has a name for");
    }

    /** Without what changes no tokens, and a sequence of one as that one. */
    private static JsonElement plain(JsonElement part) {
        if (part instanceof JsonArray array) {
            JsonArray all = new JsonArray();
            array.forEach(element -> all.add(plain(element)));
            return all;
        }
        if (!(part instanceof JsonObject object)) {
            return part == null ? JsonNull.INSTANCE : part;
        }
        for (String list : List.of("pretokenizers", "normalizers")) {
            if (object.has(list) && object.getAsJsonArray(list).size() == 1) {
                return plain(object.getAsJsonArray(list).get(0));
            }
        }
        JsonObject kept = new JsonObject();
        for (var field : object.entrySet()) {
            if (!field.getKey().equals("trim_offsets")) {
                kept.add(field.getKey(), plain(field.getValue()));
            }
        }
        if (object.has(TYPE) && object.get(TYPE).getAsString().equals("ByteLevel") && !kept.has("use_regex")) {
            kept.addProperty("use_regex", true);
        }
        return kept;
    }

    private List<String> merges() {
        List<String> merges = new ArrayList<>();
        for (JsonElement merge : array(model, "merges")) {
            merges.add(merge instanceof JsonArray pair ? pair.get(0).getAsString() + " " + pair.get(1).getAsString()
                    : merge.getAsString());
        }
        return merges;
    }

    /** The scores are the places of the first merges that make tokens. */
    private void characters() throws FormatException {
        if (!model.has("byte_fallback") || !model.get("byte_fallback").getAsBoolean()) {
            throw wrong("model.byte_fallback", "true, of BPE without a ByteLevel");
        }
        Map<String, Integer> places = new HashMap<>();
        List<String> merges = merges();
        for (int i = 0; i < merges.size(); i++) {
            int space = merges.get(i).indexOf(' ', 1);
            places.putIfAbsent(merges.get(i).substring(0, space) + merges.get(i).substring(space + 1), i);
        }
        float[] scores = new float[texts.length];
        for (int id = 0; id < scores.length; id++) {
            scores[id] = -(float) places.getOrDefault(texts[id], merges.size());
        }
        markBytes();
        out.put(PREFIX + "model", "llama");
        out.put(PREFIX + "pre", "default");
        out.put(PREFIX + "scores", scores);
        JsonElement normalizer = json.get("normalizer");
        JsonElement pre = json.get("pre_tokenizer");
        boolean never = pre != null && pre.toString().contains("\"never\"");
        out.put(PREFIX + "add_space_prefix", has(normalizer, "Prepend") || has(pre, "Metaspace") && !never);
        around(true);
    }

    /** Pieces with scores of their own, and what is done to a text before: a map of characters, and spaces. */
    private void pieces() throws FormatException {
        readTokens();
        float[] scores = new float[texts.length];
        JsonArray list = array(model, "vocab");
        for (int id = 0; id < list.size(); id++) {
            scores[id] = list.get(id).getAsJsonArray().get(1).getAsFloat();
        }
        markBytes();
        if (model.has("unk_id") && !model.get("unk_id").isJsonNull()) {
            types[model.get("unk_id").getAsInt()] = GgufTokens.Type.UNKNOWN;
        }
        out.put(PREFIX + "model", "t5");
        out.put(PREFIX + "pre", "default");
        out.put(PREFIX + "scores", scores);
        JsonElement normalizer = json.get("normalizer");
        JsonElement pre = json.get("pre_tokenizer");
        byte[] map = charsmap(normalizer);
        if (map != null) {
            out.put(PREFIX + "precompiled_charsmap", map);
        }
        boolean never = pre != null && (pre.toString().contains("\"never\"") || pre.toString().contains("\"add_prefix_space\":false"));
        out.put(PREFIX + "add_space_prefix", has(pre, "Metaspace") && !never);
        out.put(PREFIX + "remove_extra_whitespaces", has(pre, "WhitespaceSplit") || has(normalizer, "Replace"));
        around(true);
    }

    /** The map of characters of SentencePiece; null if there is none. */
    private byte[] charsmap(JsonElement part) throws FormatException {
        if (part instanceof JsonArray all) {
            for (JsonElement one : all) {
                byte[] map = charsmap(one);
                if (map != null) {
                    return map;
                }
            }
        }
        if (!(part instanceof JsonObject object)) {
            return null;
        }
        if (!object.has("precompiled_charsmap")) {
            return charsmap(object.get("normalizers"));
        }
        try {
            return Base64.getDecoder().decode(object.get("precompiled_charsmap").getAsString());
        } catch (IllegalArgumentException e) {
            throw wrong("precompiled_charsmap", "Base64: " + e.getMessage());
        }
    }

    private void markBytes() {
        for (int id = 0; id < types.length; id++) {
            if (types[id] == GgufTokens.Type.NORMAL && texts[id].matches("<0x[0-9A-F]{2}>")) {
                types[id] = GgufTokens.Type.BYTE;
            }
        }
    }

    /** What stands before and behind a text. */
    private void around(boolean usualBos) throws FormatException {
        int[] prefix = tokenizer.prefix();
        int[] suffix = tokenizer.suffix();
        boolean fits = prefix.length <= 1 && suffix.length <= 1
                && (prefix.length == 0 || prefix[0] == tokenizer.id(SpecialToken.BOS))
                && (suffix.length == 0 || suffix[0] == tokenizer.id(SpecialToken.EOS));
        if (!fits) {
            throw wrong("post_processor", "at most the first and the last special token around a text");
        }
        out.put(PREFIX + "add_bos_token", prefix.length == 1);
        out.put(PREFIX + "add_eos_token", suffix.length == 1);
    }

    /** WordPiece: what begins a word has a mark, what goes on has none. */
    private void words() throws FormatException {
        readTokens();
        JsonElement normalizer = json.get("normalizer");
        if (!has(normalizer, "BertNormalizer") || !(normalizer instanceof JsonObject)) {
            throw wrong("normalizer", "a BertNormalizer");
        }
        JsonObject bert = normalizer.getAsJsonObject();
        boolean lower = !bert.has("lowercase") || bert.get("lowercase").getAsBoolean();
        boolean strip = bert.has("strip_accents") && !bert.get("strip_accents").isJsonNull()
                ? bert.get("strip_accents").getAsBoolean() : lower;
        for (int id = 0; id < texts.length; id++) {
            if (types[id] == GgufTokens.Type.NORMAL) {
                boolean bracketed = texts[id].length() > 1 && texts[id].startsWith("[") && texts[id].endsWith("]");
                texts[id] = texts[id].startsWith("##") && texts[id].length() > 2 ? texts[id].substring(2)
                        : bracketed ? texts[id] : GgufTokens.WORD_START + texts[id];
            }
        }
        out.put(PREFIX + "model", "bert");
        out.put(PREFIX + "pre", "default");
        out.put(PREFIX + "token_type_count", 2);
        out.put(PREFIX + "normalizer.lowercase", lower);
        out.put(PREFIX + "normalizer.strip_accents", strip);
    }

    private void roles() {
        role(SpecialToken.BOS, "bos_token_id");
        role(SpecialToken.EOS, "eos_token_id");
        role(SpecialToken.UNK, "unknown_token_id");
        role(SpecialToken.PAD, "padding_token_id");
        role(SpecialToken.CLS, "cls_token_id");
        role(SpecialToken.SEP, "seperator_token_id");
        role(SpecialToken.MASK, "mask_token_id");
        role(SpecialToken.EOT, "eot_token_id");
        role(SpecialToken.EOM, "eom_token_id");
    }

    private void role(SpecialToken role, String key) {
        int id = tokenizer.id(role);
        if (id >= 0) {
            out.put(PREFIX + key, id);
        }
    }

    private static boolean has(JsonElement part, String type) {
        return part != null && part.toString().contains("\"type\":\"" + type + '"');
    }

    private static JsonArray array(JsonObject object, String field) {
        return object.has(field) && object.get(field) instanceof JsonArray array ? array : new JsonArray();
    }

    private FormatException wrong(String field, String expected) {
        return new FormatException(file, -1, field, "expected " + expected);
    }
}
