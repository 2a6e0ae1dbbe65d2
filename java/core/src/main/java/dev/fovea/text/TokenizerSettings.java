package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.json.JsonFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What the files beside a {@code tokenizer.json} say about it: {@code tokenizer_config.json},
 * {@code special_tokens_map.json} and {@code added_tokens.json}. They are resolved as the tokenizers of transformers do
 * that run on the same library: for the classes of BERT, the settings of the config replace those of the normalizer.
 * Where versions of transformers disagree, a contradiction is refused with both values.
 */
final class TokenizerSettings {
    /** Those of a file alone. */
    static final TokenizerSettings NONE = new TokenizerSettings(null, null, null, "", "");

    /** Their classes take BERT's settings; the tokenizer is WordPiece behind a BertNormalizer. */
    private static final Set<String> BERT_LIKE = Set.of("Bert", "DistilBert", "Electra", "MPNet", "MobileBert", "ConvBert",
            "LayoutLM", "SqueezeBert", "Lxmert", "Funnel", "Retribert", "DPRQuestionEncoder", "DPRContextEncoder");

    /** The classes that transformers takes for a model that names none. */
    private static final Map<String, String> CLASSES = Map.of("bert", "Bert", "distilbert", "DistilBert",
            "electra", "Electra", "mpnet", "MPNet", "mobilebert", "MobileBert", "convbert", "ConvBert",
            "layoutlm", "LayoutLM", "squeezebert", "SqueezeBert", "nomic_bert", "Bert");

    /** They do not use a {@code tokenizer.json}. */
    private static final Set<String> WITHOUT_FILE = Set.of("BertJapanese", "Phobert", "Bertweet", "Biogpt", "FlauBert", "XLM");

    /** The special tokens that have a name. */
    private static final List<String> NAMED =
            List.of("unk_token", "sep_token", "pad_token", "cls_token", "mask_token", "bos_token", "eos_token");

    private final JsonFile config;
    private final JsonFile specials;
    private final JsonFile added;
    private final String kind;
    private final String modelType;

    private TokenizerSettings(JsonFile config, JsonFile specials, JsonFile added, String kind, String modelType) {
        this.config = config;
        this.specials = specials;
        this.added = added;
        this.kind = kind;
        this.modelType = modelType;
    }

    /**
     * Reads the settings in a folder.
     *
     * @param modelType that of its {@code config.json}
     * @throws FormatException if they ask for what is not supported
     */
    static TokenizerSettings read(Path folder, String modelType) throws IOException {
        JsonFile config = JsonFile.readIfPresent(folder.resolve("tokenizer_config.json"));
        String named = config.string("tokenizer_class", "");
        String kind = named.isEmpty() ? CLASSES.getOrDefault(modelType, "") : named.replaceFirst("Tokenizer(Fast)?$", "");
        var settings = new TokenizerSettings(config,
                JsonFile.readIfPresent(folder.resolve("special_tokens_map.json")),
                JsonFile.readIfPresent(folder.resolve("added_tokens.json")), kind, modelType);
        settings.refuseUnsupported();
        return settings;
    }

    private void refuseUnsupported() throws FormatException {
        if (WITHOUT_FILE.contains(kind)) {
            throw config.wrong("tokenizer_class", "a class that reads tokenizer.json");
        }
        if (config.has("auto_map") && config.object("auto_map").has("AutoTokenizer")) {
            throw config.wrong("auto_map", "no tokenizer of the model's own code");
        }
        refuse("split_special_tokens", false);
        refuse("do_basic_tokenize", true);
        refuse("add_bos_token", false);
        refuse("add_eos_token", false);
        if (config.has("never_split") && !config.isEmpty("never_split")) {
            throw config.wrong("never_split", "nothing");
        }
    }

    private void refuse(String field, boolean supported) throws FormatException {
        if (config.bool(field, supported) != supported) {
            throw config.wrong(field, Boolean.toString(supported));
        }
    }

    /** Whether the tokenizer is one of BERT's. */
    boolean isBertLike() {
        return BERT_LIKE.contains(kind);
    }

    /** The class, for messages. */
    String kind() {
        return kind.isEmpty() ? "model_type " + Excerpt.of(modelType, 40) : kind + "Tokenizer";
    }

    /** Whether the tokenizer is that of MPNet, which has special tokens of its own. */
    boolean isMpnet() {
        return kind.equals("MPNet");
    }

    boolean lowerCase() throws FormatException {
        return config.bool("do_lower_case", true);
    }

    boolean chineseChars() throws FormatException {
        return config.bool("tokenize_chinese_chars", true);
    }

    /** True, false, or null for what {@link #lowerCase} says. */
    JsonElement stripAccents() throws FormatException {
        return config.has("strip_accents") ? new JsonPrimitive(config.bool("strip_accents", false)) : JsonNull.INSTANCE;
    }

    /** The text of a named special token; {@code absent} if no file has it. */
    String special(String name, String absent) throws FormatException {
        for (JsonFile json : config == null ? List.<JsonFile>of() : List.of(config, specials)) {
            if (json.has(name)) {
                return content(json, name);
            }
        }
        return absent;
    }

    private static String content(JsonFile json, String name) throws FormatException {
        return json.isObject(name) ? json.object(name).string("content") : json.string(name);
    }

    /** Changes a tokenizer's normalizer to what the config says, or refuses what contradicts it. */
    void resolve(JsonFields tokenizer) throws FormatException {
        if (config == null || config.isAbsent()) {
            return;
        }
        requirePrefixSpace(tokenizer.json().get("pre_tokenizer"));
        if (!isBertLike()) {
            return;
        }
        JsonElement normalizer = tokenizer.json().get("normalizer");
        if (normalizer instanceof JsonObject object && isType(object, "BertNormalizer")) {
            contradiction("clean_text", object, "clean_text");
            object.addProperty("lowercase", lowerCase());
            object.addProperty("handle_chinese_chars", chineseChars());
            object.add("strip_accents", stripAccents());
            return;
        }
        requireSame("do_lower_case", contains(normalizer, "Lowercase"), normalizer);
        requireSame("strip_accents", contains(normalizer, "StripAccents"), normalizer);
    }

    /** That of a pre-tokenizer into bytes; versions of transformers differ in which of the two they take. */
    private void requirePrefixSpace(JsonElement component) throws FormatException {
        if (!(component instanceof JsonObject object)) {
            return;
        }
        if (isType(object, "ByteLevel")) {
            contradiction("add_prefix_space", object, "add_prefix_space");
        }
        if (object.get("pretokenizers") instanceof JsonArray children) {
            for (JsonElement child : children) {
                requirePrefixSpace(child);
            }
        }
    }

    private void requireSame(String field, boolean value, JsonElement normalizer) throws FormatException {
        if (config.has(field) && config.bool(field, value) != value) {
            throw config.wrong(field, value + " as the normalizer of tokenizer.json, "
                    + Excerpt.of(String.valueOf(normalizer), 60));
        }
    }

    private void contradiction(String field, JsonObject object, String key) throws FormatException {
        boolean other = !object.has(key) || object.get(key).isJsonNull() || object.get(key).equals(new JsonPrimitive(true));
        if (config.has(field) && config.bool(field, other) != other) {
            throw config.wrong(field, other + " as in tokenizer.json");
        }
    }

    private static boolean isType(JsonObject component, String type) {
        return component.has("type") && component.get("type").equals(new JsonPrimitive(type));
    }

    private static boolean contains(JsonElement component, String type) {
        if (!(component instanceof JsonObject object)) {
            return false;
        }
        boolean found = isType(object, type);
        if (object.get("normalizers") instanceof JsonArray children) {
            for (JsonElement child : children) {
                found |= contains(child, type);
            }
        }
        return found;
    }

    /**
     * Refuses special tokens that are not those of the tokenizer.
     *
     * @param unknown the model's
     * @param before the first token that is put before texts, or null
     * @param after the last that is put behind them, or null
     */
    void requireSpecials(String unknown, String before, String after) throws FormatException {
        if (config == null || !isBertLike()) {
            return;
        }
        for (JsonFile json : List.of(config, specials)) {
            requireSpecial(json, "unk_token", unknown);
            requireSpecial(json, "cls_token", before);
            requireSpecial(json, "sep_token", after);
        }
    }

    private static void requireSpecial(JsonFile json, String name, String used) throws FormatException {
        if (json.has(name) && !content(json, name).equals(used)) {
            throw json.wrong(name, used == null ? "none, as tokenizer.json puts none around texts"
                    : "\"" + Excerpt.of(used) + "\" as in tokenizer.json");
        }
    }

    /** The tokens that are added to those of the file: fields as in its {@code added_tokens}, the id where one is given. */
    List<JsonFields> addedTokens() throws FormatException {
        List<JsonFields> tokens = new ArrayList<>();
        if (config == null) {
            return tokens;
        }
        if (config.has("added_tokens_decoder")) {
            JsonFile decoder = config.object("added_tokens_decoder");
            for (String id : decoder.fields()) {
                JsonFile token = decoder.object(id);
                JsonObject json = token(token.string("content"));
                for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
                    json.addProperty(flag, token.bool(flag, flag.equals("normalized") && !token.bool("special", false)));
                }
                json.add("id", id(id));
                tokens.add(JsonFields.of(config.file(), "added_tokens_decoder." + id, json));
            }
        }
        for (String content : added.fields()) {
            JsonObject json = token(content);
            json.addProperty("special", false);
            json.addProperty("normalized", true);
            json.addProperty("id", added.integer(content, 0));
            tokens.add(JsonFields.of(added.file(), Excerpt.of(content), json));
        }
        for (JsonFile json : List.of(config, specials)) {
            for (String name : NAMED) {
                if (json.has(name)) {
                    tokens.add(JsonFields.of(json.file(), name, token(content(json, name))));
                }
            }
            for (String name : List.of("additional_special_tokens", "extra_special_tokens")) {
                if (json.has(name) && json.isArray(name)) {
                    for (String content : json.contents(name)) {
                        tokens.add(JsonFields.of(json.file(), name, token(content)));
                    }
                }
            }
        }
        return tokens;
    }

    private static JsonElement id(String digits) {
        boolean number = digits.length() <= 10 && !digits.isEmpty() && digits.chars().allMatch(c -> c >= '0' && c <= '9');
        return number ? new JsonPrimitive(Long.parseLong(digits)) : new JsonPrimitive(digits);
    }

    private static JsonObject token(String content) {
        JsonObject json = new JsonObject();
        json.addProperty("content", content);
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
            json.addProperty(flag, false);
        }
        json.addProperty("special", true);
        return json;
    }
}
