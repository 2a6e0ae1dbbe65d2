package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.text.MergeTable;
import dev.fovea.internal.text.Model;
import dev.fovea.internal.text.PairMerges;
import dev.fovea.internal.text.Unigram;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.internal.text.VocabularyJson;
import dev.fovea.internal.text.WordLevel;
import dev.fovea.internal.text.WordPiece;
import dev.fovea.weights.FormatException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The {@code model} of a {@code tokenizer.json}, checked: what makes tokens of a word.
 *
 * @param model in Java
 * @param settings what the file says of it, without the vocabulary and what is made of that
 * @param made what is made of the vocabulary, by its name in the file; null if there is nothing
 * @param list that, for the library
 */
record TokenizerModel(Model model, JsonObject settings, String made, Supplier<JsonArray> list) {
    private static final String WORD_PIECE = "WordPiece";
    private static final String WORD_LEVEL = "WordLevel";
    private static final String BPE = "BPE";
    private static final String UNIGRAM = "Unigram";

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

    /** Its tokens. */
    Vocabulary vocabulary() {
        return model.vocabulary();
    }

    /** What the library is to load. */
    String libraryJson() {
        String json = settings.toString();
        return json.substring(0, json.length() - 1) + (made == null ? "" : ",\"" + made + "\":" + list.get())
                + ("vocab".equals(made) ? "" : ",\"vocab\":" + VocabularyJson.of(vocabulary())) + "}";
    }

    private static Vocabulary vocabulary(JsonFields model, Vocabulary read) throws FormatException {
        if (read == null) {
            throw model.error("vocab", "expected an object of tokens and ids");
        }
        return read;
    }

    private static TokenizerModel words(JsonFields model, String type, Vocabulary vocabulary) throws FormatException {
        String unknown = model.string("unk_token");
        if (vocabulary.id(unknown) < 0) {
            throw model.error("unk_token", "'" + Excerpt.of(unknown) + "' is not in the vocabulary");
        }
        JsonObject checked = new JsonObject();
        checked.addProperty("type", type);
        checked.addProperty("unk_token", unknown);
        if (type.equals(WORD_PIECE)) {
            String prefix = "continuing_subword_prefix";
            checked.addProperty(prefix, model.string(prefix));
            String limit = "max_input_chars_per_word";
            checked.addProperty(limit, model.integer(limit, WordPiece.MOST_CHARS));
            return new TokenizerModel(new WordPiece(vocabulary, vocabulary.id(unknown), model.string(prefix),
                    model.integer(limit, WordPiece.MOST_CHARS)), checked, null, null);
        }
        return new TokenizerModel(new WordLevel(vocabulary, vocabulary.id(unknown)), checked, null, null);
    }

    /** Byte-pair encoding: Sennrich et al., arXiv:1508.07909. */
    private static TokenizerModel pairs(JsonFields model, Vocabulary vocabulary) throws FormatException {
        JsonObject checked = new JsonObject();
        checked.addProperty("type", BPE);
        checked.add("dropout", JsonNull.INSTANCE);
        if (model.has("dropout") && model.number("dropout") != 0) {
            throw model.error("dropout", "expected null, got " + model.number("dropout"));
        }
        for (String text : List.of("unk_token", "continuing_subword_prefix", "end_of_word_suffix")) {
            if (model.has(text) && (text.equals("unk_token") || !model.string(text).isEmpty())) {
                checked.addProperty(text, model.string(text));
            }
        }
        for (String flag : List.of("fuse_unk", "byte_fallback", "ignore_merges")) {
            checked.addProperty(flag, model.has(flag) && model.flag(flag));
        }
        String unknown = text(checked, "unk_token");
        if (!unknown.isEmpty() && vocabulary.id(unknown) < 0) {
            throw model.error("unk_token", "'" + Excerpt.of(unknown) + "' is not in the vocabulary");
        }
        String prefix = text(checked, "continuing_subword_prefix");
        MergeTable table = new MergeTable();
        JsonArray merges = merges(model, vocabulary, prefix, table);
        var settings = new PairMerges.Settings(unknown.isEmpty() ? -1 : vocabulary.id(unknown),
                checked.get("fuse_unk").getAsBoolean(), checked.get("byte_fallback").getAsBoolean(),
                checked.get("ignore_merges").getAsBoolean(), prefix, text(checked, "end_of_word_suffix"));
        return new TokenizerModel(new PairMerges(vocabulary, table, settings), checked, "merges", () -> merges);
    }

    private static String text(JsonObject settings, String name) {
        return settings.has(name) ? settings.get(name).getAsString() : "";
    }

    private static JsonArray merges(JsonFields model, Vocabulary vocabulary, String prefix, MergeTable table)
            throws FormatException {
        JsonArray merges = model.elements("merges");
        for (int i = 0; i < merges.size(); i++) {
            if (isComment(merges.get(i))) {
                continue;
            }
            String[] pair = pair(merges.get(i));
            int first = pair == null ? -1 : vocabulary.id(pair[0]);
            int second = pair == null ? -1 : vocabulary.id(pair[1]);
            int both = first < 0 || second < 0 || !pair[1].startsWith(prefix) ? -1
                    : vocabulary.id(pair[0] + pair[1].substring(prefix.length()));
            if (both < 0) {
                throw model.error("merges[" + i + "]", "expected two tokens of the vocabulary that make a third");
            }
            table.add(first, second, both);
        }
        return merges;
    }

    /** Lists that come from files of merges may begin with their version. */
    private static boolean isComment(JsonElement element) {
        return element instanceof JsonPrimitive text && text.isString() && text.getAsString().startsWith("#version");
    }

    /** The two tokens of {@code "a b"} or {@code ["a", "b"]}, or null. */
    private static String[] pair(JsonElement element) {
        if (element instanceof JsonPrimitive text && text.isString()) {
            String both = text.getAsString();
            int space = both.indexOf(' ');
            return space < 0 || both.indexOf(' ', space + 1) >= 0 ? null
                    : new String[] {both.substring(0, space), both.substring(space + 1)};
        }
        return element instanceof JsonArray array && array.size() == 2
                && array.get(0) instanceof JsonPrimitive first && first.isString()
                && array.get(1) instanceof JsonPrimitive second && second.isString()
                ? new String[] {first.getAsString(), second.getAsString()} : null;
    }

    /** Unigram: Kudo, arXiv:1804.10959. */
    private static TokenizerModel pieces(JsonFields model) throws FormatException {
        Vocabulary vocabulary = new Vocabulary();
        JsonArray pieces = model.elements("vocab");
        double[] scores = new double[pieces.size()];
        for (int i = 0; i < scores.length; i++) {
            JsonElement element = pieces.get(i);
            if (!(element instanceof JsonArray piece && piece.size() == 2
                    && piece.get(0) instanceof JsonPrimitive token && token.isString()
                    && piece.get(1) instanceof JsonPrimitive score && score.isNumber()
                    && Double.isFinite(Scores.parse(score.getAsString())))) {
                throw model.error("vocab[" + i + "]", "expected a piece and its score");
            }
            vocabulary.begin();
            token.getAsString().chars().forEach(c -> vocabulary.append((char) c));
            if (!vocabulary.end(i)) {
                throw model.error("vocab[" + i + "]", "the piece occurs twice");
            }
            scores[i] = Scores.parse(score.getAsString());
        }
        if (scores.length == 0) {
            throw model.error("vocab", "expected at least one piece");
        }
        JsonObject json = new JsonObject();
        json.addProperty("type", UNIGRAM);
        int unknown = model.integer("unk_id", scores.length - 1);
        boolean bytes = model.has("byte_fallback") && model.flag("byte_fallback");
        json.addProperty("unk_id", unknown);
        json.addProperty("byte_fallback", bytes);
        return new TokenizerModel(new Unigram(vocabulary, scores, unknown, bytes), json, "vocab", () -> pieces);
    }
}
