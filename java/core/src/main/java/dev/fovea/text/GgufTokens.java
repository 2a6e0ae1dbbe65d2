package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import dev.fovea.weights.StringArray;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The tokens in the metadata of a GGUF file, their types, and which of them stand around a text. What llama.cpp takes where
 * a key is missing is taken here too.
 */
final class GgufTokens {
    static final String PREFIX = "tokenizer.ggml.";
    static final String TOKENS = PREFIX + "tokens";
    static final String WORD_START = "\u2581";
    private static final String TYPES = PREFIX + "token_type";

    /** What a token is, numbered from 1 as in files. */
    enum Type {
        NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED, BYTE;

        private static final Type[] ALL = values();
    }

    /** What is put around a text, unless the file says otherwise. */
    record Around(boolean bos, boolean eos, boolean sep) {}

    private final GgufMetadata metadata;
    private final StringArray stored;
    /** Texts that are not as the file has them, by id. */
    private final Map<Integer, String> respelled = new HashMap<>();
    private final Type[] types;
    private final Roles roles = new Roles();

    /** Reads tokens; control tokens that their spelling tells are ones, whatever their type. */
    GgufTokens(GgufMetadata metadata) throws FormatException {
        this.metadata = metadata;
        stored = metadata.strings(TOKENS);
        if (stored.isEmpty()) {
            throw metadata.error(TOKENS, "expected at least one token");
        }
        int[] numbers = metadata.has(TYPES) ? metadata.integers(TYPES) : null;
        if (numbers != null && numbers.length != stored.size()) {
            throw metadata.error(TYPES, "expected a type for each of " + stored.size() + " tokens, got " + numbers.length);
        }
        this.types = new Type[stored.size()];
        for (int id = 0; id < types.length; id++) {
            if (stored.length(id) == 0) {
                respell(id, "[EMPTY_" + id + "]");
            }
            int number = numbers == null ? 1 : numbers[id];
            if (number < 0 || number > Type.ALL.length) {
                throw metadata.error(TYPES, "expected types from 0 to " + Type.ALL.length + ", got " + number + " for token "
                        + id);
            }
            types[id] = number == 0 ? Type.UNUSED : Type.ALL[number - 1];
            if (types[id] == Type.NORMAL && stored.length(id) > 0 && Roles.mayBeginEnd(stored.charAt(id, 0))
                    && Roles.isEnd(stored.get(id))) {
                types[id] = Type.CONTROL;
            }
        }
    }

    GgufMetadata metadata() {
        return metadata;
    }

    int size() {
        return types.length;
    }

    String text(int id) {
        String text = respelled.get(id);
        return text == null ? stored.get(id) : text;
    }

    Type type(int id) {
        return types[id];
    }

    /** Spells a token otherwise. */
    void respell(int id, String text) {
        respelled.put(id, text);
    }

    /** The vocabulary, in the order of ids. */
    Vocabulary vocabulary() throws FormatException {
        Vocabulary vocabulary = new Vocabulary(types.length, stored.chars());
        char[] room = new char[1 << 8];
        for (int id = 0; id < types.length; id++) {
            String text = respelled.isEmpty() ? null : respelled.get(id);
            room = text == null ? stored.copy(id, room) : text.toCharArray();
            vocabulary.begin();
            vocabulary.append(room, text == null ? stored.length(id) : room.length);
            if (!vocabulary.end(id)) {
                throw metadata.error(TOKENS, "token " + id + ", '" + Excerpt.of(text(id)) + "', occurs twice");
            }
        }
        return vocabulary;
    }

    /** Whether the file sets a flag. */
    boolean flag(String key, boolean absent) throws FormatException {
        return metadata.bool(PREFIX + key, absent);
    }

    /** The id at the first of some keys that is there; else {@code absent}. */
    int id(int absent, String... keys) throws FormatException {
        for (String key : keys) {
            String whole = PREFIX + key;
            if (metadata.has(whole)) {
                int id = metadata.integer(whole, 0);
                if (id >= types.length) {
                    throw metadata.error(whole, "expected the id of one of " + types.length + " tokens, got " + id);
                }
                return id;
            }
        }
        return absent < types.length ? absent : -1;
    }

    /** Reads the roles of special tokens; those that are absent are in llama.cpp's order: BOS, EOS, UNK, PAD. */
    void readRoles(int bos, int eos, int unknown, int padding) throws FormatException {
        roles.put(SpecialToken.BOS, id(bos, "bos_token_id", "cls_token_id"));
        roles.put(SpecialToken.EOS, id(eos, "eos_token_id", "seperator_token_id"));
        roles.put(SpecialToken.UNK, id(unknown, "unknown_token_id"));
        roles.put(SpecialToken.PAD, id(padding, "padding_token_id"));
        roles.put(SpecialToken.EOT, id(-1, "eot_token_id"));
        roles.put(SpecialToken.EOM, id(-1, "eom_token_id"));
        roles.put(SpecialToken.SEP, id(-1, "seperator_token_id"));
        roles.put(SpecialToken.CLS, id(-1, "cls_token_id"));
        roles.put(SpecialToken.MASK, id(-1, "mask_token_id"));
    }

    Roles roles() {
        return roles;
    }

    /** The {@code added_tokens} of a {@code tokenizer.json}: all that are found in a text before it is split. */
    JsonArray addedTokens() throws FormatException {
        String pre = metadata.string(PREFIX + "pre", "");
        String architecture = metadata.string("general.architecture", "");
        String name = metadata.string("general.name", "").toLowerCase(Locale.ROOT);
        String mask = pre.startsWith("jina-v2-") || architecture.equals("nomic-bert-moe") || architecture.equals("jina-bert-v3")
                ? "<mask>" : pre.equals("modern-bert") ? "[MASK]" : null;
        boolean phi = name.contains("phi-3") || name.contains("phi3");
        JsonArray added = new JsonArray();
        for (int id = 0; id < types.length; id++) {
            boolean special = types[id] == Type.CONTROL || types[id] == Type.UNKNOWN;
            if (special || types[id] == Type.USER_DEFINED) {
                String text = text(id);
                JsonObject token = new JsonObject();
                token.addProperty("id", id);
                token.addProperty("content", text);
                token.addProperty("single_word", false);
                token.addProperty("lstrip", text.equals(mask));
                token.addProperty("rstrip", phi && !List.of("<unk>", "<s>", "<|endoftext|>").contains(text));
                token.addProperty("normalized", false);
                token.addProperty("special", special);
                added.add(token);
            }
        }
        return added;
    }

    /** The {@code post_processor}: what is put around a text, and between two. */
    JsonElement postProcessor(Around usual) throws FormatException {
        boolean bos = flag("add_bos_token", usual.bos);
        boolean eos = flag("add_eos_token", usual.eos);
        // The converter writes this flag for ModernBERT, whose two texts have one separator between them all the same.
        boolean sep = flag("add_sep_token", usual.sep) && !metadata.string(PREFIX + "pre", "").equals("modern-bert");
        if (!bos && !eos) {
            return JsonNull.INSTANCE;
        }
        JsonObject tokens = new JsonObject();
        JsonArray single = new JsonArray();
        JsonArray pair = new JsonArray();
        if (bos) {
            special(tokens, required(SpecialToken.BOS, "bos_token_id"), single, pair);
        }
        single.add(place("A"));
        pair.add(place("A"));
        if (eos) {
            special(tokens, required(SpecialToken.EOS, "eos_token_id"), single, pair);
        }
        if (sep) {
            int id = roles.id(SpecialToken.SEP);
            special(tokens, id >= 0 ? id : required(SpecialToken.EOS, "seperator_token_id"), pair);
        }
        pair.add(place("B"));
        if (eos) {
            special(tokens, required(SpecialToken.EOS, "eos_token_id"), pair);
        }
        JsonObject template = new JsonObject();
        template.addProperty("type", "TemplateProcessing");
        template.add("single", single);
        template.add("pair", pair);
        template.add("special_tokens", tokens);
        return template;
    }

    private int required(SpecialToken role, String key) throws FormatException {
        if (roles.id(role) < 0) {
            throw metadata.error(PREFIX + key, "expected the id of the token that is put around texts, got nothing");
        }
        return roles.id(role);
    }

    private static JsonObject place(String text) {
        JsonObject place = new JsonObject();
        place.addProperty("id", text);
        place.addProperty("type_id", 0);
        JsonObject piece = new JsonObject();
        piece.add("Sequence", place);
        return piece;
    }

    private void special(JsonObject tokens, int id, JsonArray... templates) {
        JsonObject place = new JsonObject();
        place.addProperty("id", text(id));
        place.addProperty("type_id", 0);
        JsonObject piece = new JsonObject();
        piece.add("SpecialToken", place);
        for (JsonArray template : templates) {
            template.add(piece);
        }
        JsonArray ids = new JsonArray();
        ids.add(id);
        JsonObject token = new JsonObject();
        token.add("ids", ids);
        tokens.add(text(id), token);
    }
}
