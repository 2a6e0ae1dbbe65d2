package dev.fovea.text;

import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The tokenizer in the metadata of a GGUF file, for {@code tokenizer.ggml.model} "bert": WordPiece. llama.cpp writes
 * tokens that begin a word with U+2581 before them, those that go on with one as they are, and special tokens too; BERT's
 * own spelling is the word as it is, and {@code ##} before what goes on.
 */
final class GgufWordPiece {
    private static final String PREFIX = "tokenizer.ggml.";
    private static final String TOKENS = PREFIX + "tokens";
    private static final String TYPES = PREFIX + "token_type";
    private static final String LOWER_CASE = PREFIX + "normalizer.lowercase";
    private static final String WORD_START = "\u2581";
    private static final String CONTINUATION = "##";
    private static final int CONTROL = 3;
    private static final Pattern CAPITALIZED = Pattern.compile("(##)?[A-Z][a-z]+");

    private final GgufMetadata metadata;
    private final List<String> stored;

    private GgufWordPiece(GgufMetadata metadata) throws FormatException {
        this.metadata = metadata;
        this.stored = metadata.strings(TOKENS);
    }

    /** The {@code tokenizer.json} that stands for it. */
    static byte[] toTokenizerJson(GgufMetadata metadata) throws FormatException {
        return new GgufWordPiece(metadata).wordPiece().json().toString().getBytes(StandardCharsets.UTF_8);
    }

    private WordPiece wordPiece() throws FormatException {
        Map<String, Integer> ids = ids();
        for (String flag : List.of("add_bos_token", "add_sep_token", "add_eos_token")) {
            if (!metadata.bool(PREFIX + flag, true)) {
                throw metadata.error(PREFIX + flag, "expected true: texts have the first and the last token, got false");
            }
        }
        String first = metadata.has(PREFIX + "cls_token_id") ? "cls_token_id" : "bos_token_id";
        String last = metadata.has(PREFIX + "seperator_token_id") ? "seperator_token_id" : "eos_token_id";
        var specials = new WordPiece.Specials(special("unknown_token_id", "[UNK]", ids), special(first, "[CLS]", ids),
                special(last, "[SEP]", ids), special("padding_token_id", "[PAD]", ids),
                special("mask_token_id", "[MASK]", ids));
        boolean lowerCase = lowerCase(ids);
        boolean strip = metadata.bool(PREFIX + "normalizer.strip_accents", lowerCase);
        return new WordPiece(metadata.file(), ids, specials, lowerCase, new JsonPrimitive(strip), true);
    }

    private Map<String, Integer> ids() throws FormatException {
        int[] types = metadata.has(TYPES) ? metadata.integers(TYPES) : new int[stored.size()];
        if (types.length != stored.size()) {
            throw metadata.error(TYPES, "expected a type for each of " + stored.size() + " tokens, got " + types.length);
        }
        Map<String, Integer> ids = new LinkedHashMap<>();
        for (int id = 0; id < types.length; id++) {
            ids.put(spelled(stored.get(id), types[id]), id);
        }
        return ids;
    }

    private static String spelled(String token, int type) {
        if (type == CONTROL || token.length() > 1 && token.startsWith("[") && token.endsWith("]")) {
            return token;
        }
        return token.startsWith(WORD_START) ? token.substring(1) : CONTINUATION + token;
    }

    /** A special token by its id; by its usual name where the file has no id. */
    private String special(String key, String usual, Map<String, Integer> ids) throws FormatException {
        if (!metadata.has(PREFIX + key)) {
            return usual;
        }
        int id = metadata.integer(PREFIX + key, 0);
        String token = id < stored.size() ? stored.get(id) : null;
        if (token == null) {
            throw metadata.error(PREFIX + key, "expected the id of one of " + stored.size() + " tokens, got " + id);
        }
        // It is special, so that it is spelled as it is, whatever its type says.
        ids.values().removeIf(other -> other == id);
        ids.put(token, id);
        return token;
    }

    /**
     * llama.cpp lower-cases unless the file says otherwise, and converters before 2026 never do. So a vocabulary that
     * has capitals would get wrong tokens.
     */
    private boolean lowerCase(Map<String, Integer> ids) throws FormatException {
        if (metadata.has(LOWER_CASE)) {
            return metadata.bool(LOWER_CASE, true);
        }
        for (String token : ids.keySet()) {
            if (CAPITALIZED.matcher(token).matches()) {
                throw metadata.error(LOWER_CASE, "expected true or false, as the vocabulary has capitals, in '"
                        + Excerpt.of(token) + "' for example, got nothing");
            }
        }
        return true;
    }
}
