package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.text.Unigram;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import java.util.Base64;
import java.util.stream.IntStream;

/** SentencePiece's unigram model in the metadata of a GGUF file ("t5"), as T5 and XLM-R have it. */
final class GgufPieces {
    private static final String SCORES = GgufTokens.PREFIX + "scores";
    private static final String CHARSMAP = GgufTokens.PREFIX + "precompiled_charsmap";
    private static final int BYTES = 256;

    private final GgufTokens tokens;

    private GgufPieces(GgufTokens tokens) {
        this.tokens = tokens;
    }

    static GgufVocabulary of(GgufTokens tokens) throws FormatException {
        return new GgufPieces(tokens).vocabulary();
    }

    private GgufVocabulary vocabulary() throws FormatException {
        tokens.readRoles(-1, 1, 2, 0);
        boolean prefixesSpace = tokens.flag("add_space_prefix", false);
        JsonObject json = new JsonObject();
        json.add("added_tokens", tokens.addedTokens());
        boolean removesSpaces = tokens.flag("remove_extra_whitespaces", false);
        // Words are split as in the files of T5 and XLM-R, where pieces do not reach across.
        boolean splits = prefixesSpace && removesSpaces;
        json.add("normalizer", normalizer(removesSpaces && !splits));
        String space = "{'type':'Metaspace','replacement':'\u2581','prepend_scheme':'" + (prefixesSpace ? "always" : "never")
                + "','split':" + splits + "}";
        json.add("pre_tokenizer", JsonParser.parseString(
                splits ? "{'type':'Sequence','pretokenizers':[{'type':'WhitespaceSplit'}," + space + "]}" : space));
        json.add("decoder", JsonParser.parseString(space));
        json.add("post_processor", tokens.postProcessor(new GgufTokens.Around(false, true, false)));
        return new GgufVocabulary(json, model(), tokens.roles());
    }

    private JsonElement normalizer(boolean removesSpaces) throws FormatException {
        JsonArray all = new JsonArray();
        if (tokens.metadata().has(CHARSMAP)) {
            int[] numbers = tokens.metadata().integers(CHARSMAP);
            byte[] bytes = new byte[numbers.length];
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] = (byte) numbers[i];
            }
            if (bytes.length > 0) {
                JsonObject map = new JsonObject();
                map.addProperty("type", "Precompiled");
                map.addProperty("precompiled_charsmap", Base64.getEncoder().encodeToString(bytes));
                all.add(map);
            }
        }
        if (removesSpaces) {
            all.add(JsonParser.parseString("{'type':'Replace','pattern':{'Regex':'^ +| +$'},'content':''}"));
            all.add(JsonParser.parseString("{'type':'Replace','pattern':{'Regex':' {2,}'},'content':' '}"));
        }
        if (all.isEmpty()) {
            return JsonNull.INSTANCE;
        }
        JsonObject sequence = new JsonObject();
        sequence.addProperty("type", "Sequence");
        sequence.add("normalizers", all);
        return sequence;
    }

    private TokenizerModel model() throws FormatException {
        float[] stored = tokens.metadata().numbers(SCORES);
        if (stored.length != tokens.size()) {
            throw tokens.metadata().error(SCORES, "expected a score for each of " + tokens.size() + " tokens, got "
                    + stored.length);
        }
        double[] scores = new double[stored.length];
        for (int id = 0; id < scores.length; id++) {
            // As the library reads what transformers writes of them.
            scores[id] = switch (tokens.type(id)) {
                case NORMAL, USER_DEFINED -> Scores.parse(Double.toString(stored[id]));
                default -> Double.NaN;
            };
        }
        if (IntStream.range(0, tokens.size()).noneMatch(id -> tokens.type(id) == GgufTokens.Type.NORMAL)) {
            throw tokens.metadata().error(GgufTokens.TOKENS, "expected at least one token that is text");
        }
        int unknown = tokens.roles().id(SpecialToken.UNK);
        if (unknown < 0) {
            throw tokens.metadata().error(GgufTokens.PREFIX + "unknown_token_id", "expected the id of the token that stands for"
                    + " what the vocabulary has not, got nothing");
        }
        boolean bytes = IntStream.range(0, tokens.size()).filter(id -> tokens.type(id) == GgufTokens.Type.BYTE).count() == BYTES;
        JsonObject settings = new JsonObject();
        settings.addProperty("type", "Unigram");
        settings.addProperty("unk_id", unknown);
        settings.addProperty("byte_fallback", bytes);
        Vocabulary vocabulary = tokens.vocabulary();
        return new TokenizerModel(new Unigram(vocabulary, scores, unknown, bytes), settings, "vocab", () -> list(stored));
    }

    private JsonArray list(float[] scores) {
        JsonArray list = new JsonArray();
        for (int id = 0; id < scores.length; id++) {
            JsonArray piece = new JsonArray();
            piece.add(tokens.text(id));
            piece.add(new JsonPrimitive((double) scores[id]));
            list.add(piece);
        }
        return list;
    }
}
