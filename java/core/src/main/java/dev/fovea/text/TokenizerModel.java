package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * The {@code model} of a {@code tokenizer.json}, checked: what makes tokens of a word.
 *
 * @param vocabulary its tokens
 * @param json what the library is to load; without {@code vocab} if that is an object, which is the vocabulary's own
 */
record TokenizerModel(Vocabulary vocabulary, JsonObject json) {
    private static final String WORD_PIECE = "WordPiece";
    private static final String WORD_LEVEL = "WordLevel";
    private static final String BPE = "BPE";
    private static final String UNIGRAM = "Unigram";

    /** The library's time for one word grows with the square of this. */
    private static final int MAX_WORD_CHARS = 1000;

    /**
     * Checks a model.
     *
     * @param read its vocabulary if that is an object of tokens and ids, else null
     */
    static TokenizerModel check(JsonFields model, Vocabulary read) throws FormatException {
        // Files of the first versions of the library name no type.
        String type = model.has("type") || !model.has("merges") ? model.string("type") : BPE;
        return switch (type) {
            case WORD_PIECE, WORD_LEVEL -> words(model, type, vocabulary(model, read));
            case BPE -> pairs(model, vocabulary(model, read));
            case UNIGRAM -> pieces(model);
            default -> throw model.error("type", "expected " + new TreeSet<>(Set.of(WORD_PIECE, WORD_LEVEL, BPE, UNIGRAM))
                    + ", got '" + Excerpt.of(type) + "'");
        };
    }

    private static Vocabulary vocabulary(JsonFields model, Vocabulary read) throws FormatException {
        if (read == null) {
            throw model.error("vocab", "expected an object of tokens and ids");
        }
        return read;
    }

    private static TokenizerModel words(JsonFields model, String type, Vocabulary vocabulary) throws FormatException {
        String unknown = model.string("unk_token");
        if (vocabulary.id(unknown) == null) {
            throw model.error("unk_token", "'" + Excerpt.of(unknown) + "' is not in the vocabulary");
        }
        JsonObject checked = new JsonObject();
        checked.addProperty("type", type);
        checked.addProperty("unk_token", unknown);
        if (type.equals(WORD_PIECE)) {
            String prefix = "continuing_subword_prefix";
            checked.addProperty(prefix, model.string(prefix));
            String limit = "max_input_chars_per_word";
            checked.addProperty(limit, model.integer(limit, MAX_WORD_CHARS));
        }
        return new TokenizerModel(vocabulary, checked);
    }

    /** Byte-pair encoding: Sennrich et al., arXiv:1508.07909. */
    private static TokenizerModel pairs(JsonFields model, Vocabulary vocabulary) throws FormatException {
        JsonObject checked = new JsonObject();
        checked.addProperty("type", BPE);
        checked.add("dropout", JsonNull.INSTANCE);
        if (model.has("dropout") && model.number("dropout") != 0) {
            throw model.error("dropout", "expected null, got " + model.number("dropout"));
        }
        if (model.has("continuing_subword_prefix") && !model.string("continuing_subword_prefix").isEmpty()) {
            throw model.error("continuing_subword_prefix", "expected null, got '"
                    + Excerpt.of(model.string("continuing_subword_prefix")) + "'");
        }
        if (model.has("unk_token")) {
            String unknown = model.string("unk_token");
            if (vocabulary.id(unknown) == null) {
                throw model.error("unk_token", "'" + Excerpt.of(unknown) + "' is not in the vocabulary");
            }
            checked.addProperty("unk_token", unknown);
        }
        if (model.has("end_of_word_suffix")) {
            checked.addProperty("end_of_word_suffix", model.string("end_of_word_suffix"));
        }
        for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
            if (model.has(flag)) {
                checked.addProperty(flag, model.flag(flag));
            }
        }
        checked.add("merges", merges(model, vocabulary));
        return new TokenizerModel(vocabulary, checked);
    }

    private static JsonArray merges(JsonFields model, Vocabulary vocabulary) throws FormatException {
        JsonArray checked = new JsonArray();
        for (JsonElement element : model.elements("merges")) {
            String[] pair = pair(element);
            if (pair == null || vocabulary.id(pair[0]) == null || vocabulary.id(pair[1]) == null
                    || vocabulary.id(pair[0] + pair[1]) == null) {
                throw model.error("merges[" + checked.size() + "]",
                        "expected two tokens of the vocabulary that make a third");
            }
            JsonArray tokens = new JsonArray(2);
            tokens.add(pair[0]);
            tokens.add(pair[1]);
            checked.add(tokens);
        }
        return checked;
    }

    /** The two tokens of {@code "a b"} or {@code ["a", "b"]}, or null. */
    private static String[] pair(JsonElement element) {
        if (element instanceof JsonPrimitive text && text.isString()) {
            String[] pair = text.getAsString().split(" ", -1);
            return pair.length == 2 ? pair : null;
        }
        return element instanceof JsonArray array && array.size() == 2
                && array.get(0) instanceof JsonPrimitive first && first.isString()
                && array.get(1) instanceof JsonPrimitive second && second.isString()
                ? new String[] {first.getAsString(), second.getAsString()} : null;
    }

    /** Unigram: Kudo, arXiv:1804.10959. */
    private static TokenizerModel pieces(JsonFields model) throws FormatException {
        Vocabulary vocabulary = new Vocabulary();
        JsonArray checked = new JsonArray();
        for (JsonElement element : model.elements("vocab")) {
            if (!(element instanceof JsonArray piece && piece.size() == 2
                    && piece.get(0) instanceof JsonPrimitive token && token.isString()
                    && piece.get(1) instanceof JsonPrimitive score && score.isNumber()
                    && Double.isFinite(score.getAsDouble()))) {
                throw model.error("vocab[" + checked.size() + "]", "expected a piece and its score");
            }
            vocabulary.begin();
            token.getAsString().chars().forEach(c -> vocabulary.append((char) c));
            if (!vocabulary.end(checked.size())) {
                throw model.error("vocab[" + checked.size() + "]", "the piece occurs twice");
            }
            checked.add(piece);
        }
        if (checked.isEmpty()) {
            throw model.error("vocab", "expected at least one piece");
        }
        JsonObject json = new JsonObject();
        json.addProperty("type", UNIGRAM);
        json.addProperty("unk_id", model.integer("unk_id", checked.size() - 1));
        if (model.has("byte_fallback")) {
            json.addProperty("byte_fallback", model.flag("byte_fallback"));
        }
        json.add("vocab", checked);
        return new TokenizerModel(vocabulary, json);
    }
}
