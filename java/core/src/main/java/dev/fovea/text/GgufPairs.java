package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.text.MergeTable;
import dev.fovea.internal.text.PairMerges;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.StringArray;
import java.util.function.Supplier;

/**
 * Byte-pair encoding in the metadata of a GGUF file: of bytes, as GPT-2 has it ("gpt2"); of characters, with pieces for the
 * bytes of those that the vocabulary has not, as SentencePiece has it ("llama", whose merges the scores tell, and "gemma4").
 */
final class GgufPairs {
    private static final String MERGES = GgufTokens.PREFIX + "merges";

    private final GgufTokens tokens;
    private final JsonObject json = new JsonObject();

    private GgufPairs(GgufTokens tokens) {
        this.tokens = tokens;
    }

    /** Of bytes. */
    static GgufVocabulary ofBytes(GgufTokens tokens) throws FormatException {
        GgufPairs pairs = new GgufPairs(tokens);
        JsonObject pre = GgufPreTokenizers.find(tokens.metadata());
        tokens.readRoles(-1, -1, -1, -1);
        pairs.json.add("normalizer", pre.get("normalizer"));
        pairs.json.add("pre_tokenizer", pre.get("pre_tokenizer"));
        pairs.json.add("decoder", JsonParser.parseString(
                "{'type':'ByteLevel','add_prefix_space':false,'trim_offsets':true,'use_regex':false}"));
        pairs.json.add("post_processor", tokens.postProcessor(new GgufTokens.Around(GgufPreTokenizers.flag(pre, "add_bos"), false,
                GgufPreTokenizers.flag(pre, "add_sep"))));
        return pairs.vocabulary(false, GgufPreTokenizers.flag(pre, "ignore_merges"));
    }

    /** Of characters, with merges. */
    static GgufVocabulary ofCharacters(GgufTokens tokens) throws FormatException {
        GgufPairs pairs = new GgufPairs(tokens);
        tokens.readRoles(-1, -1, -1, -1);
        pairs.spellSpaces();
        pairs.addParts(tokens.flag("add_space_prefix", false));
        pairs.json.add("post_processor", tokens.postProcessor(new GgufTokens.Around(true, false, false)));
        return pairs.vocabulary(true, false);
    }

    /** Of characters, with scores. */
    static GgufVocabulary ofScores(GgufTokens tokens) throws FormatException {
        GgufPairs pairs = new GgufPairs(tokens);
        tokens.readRoles(1, 2, 0, -1);
        pairs.spellSpaces();
        if (tokens.flag("remove_extra_whitespaces", false)) {
            throw tokens.metadata().error(GgufTokens.PREFIX + "remove_extra_whitespaces",
                    "expected false for a tokenizer of model \"llama\", got true");
        }
        pairs.addParts(tokens.flag("add_space_prefix", true));
        pairs.json.add("post_processor", tokens.postProcessor(new GgufTokens.Around(true, false, false)));
        Vocabulary vocabulary = tokens.vocabulary();
        ScoredMerges merges = new ScoredMerges(tokens, vocabulary);
        return pairs.vocabulary(vocabulary, merges.table(), true, false, merges::json);
    }

    /** Converters write tokens of spaces alone with spaces; their merges are of the character that stands for those. */
    private void spellSpaces() {
        for (int id = 0; id < tokens.size(); id++) {
            if (tokens.type(id) == GgufTokens.Type.USER_DEFINED && tokens.text(id).chars().allMatch(c -> c == ' ')) {
                tokens.respell(id, GgufTokens.WORD_START.repeat(tokens.text(id).length()));
            }
        }
    }

    /** The parts of SentencePiece. */
    private void addParts(boolean prefixesSpace) {
        String spaces = "{'type':'Replace','pattern':{'String':' '},'content':'\u2581'}";
        json.add("normalizer", JsonParser.parseString(prefixesSpace
                ? "{'type':'Sequence','normalizers':[{'type':'Prepend','prepend':'\u2581'}," + spaces + "]}" : spaces));
        json.add("pre_tokenizer", JsonNull.INSTANCE);
        json.add("decoder", JsonParser.parseString("{'type':'Sequence','decoders':[{'type':'Replace','pattern':{'String':'\u2581'},"
                + "'content':' '},{'type':'ByteFallback'},{'type':'Fuse'}"
                + (prefixesSpace ? ",{'type':'Strip','content':' ','start':1,'stop':0}]}" : "]}")));
    }

    private GgufVocabulary vocabulary(boolean hasByteTokens, boolean ignoresMerges) throws FormatException {
        Vocabulary vocabulary = tokens.vocabulary();
        StringArray merges = tokens.metadata().strings(MERGES);
        MergeTable table = new MergeTable(merges.size());
        char[] merge = new char[1 << 8];
        for (int i = 0; i < merges.size(); i++) {
            merge = merges.copy(i, merge);
            int end = merges.length(i);
            int space = 1;
            while (space < end && merge[space] != ' ') {
                space++;
            }
            int firstId = space >= end ? -1 : vocabulary.id(merge, 0, space);
            int secondId = space >= end ? -1 : vocabulary.id(merge, space + 1, end);
            int both = firstId < 0 || secondId < 0 ? -1 : vocabulary.id(merge, 0, space, space + 1, end);
            if (both < 0) {
                throw tokens.metadata().error(MERGES, "expected two tokens of the vocabulary that make a third, got '"
                        + Excerpt.of(merges.get(i)) + "' at " + i);
            }
            table.add(firstId, secondId, both);
        }
        return vocabulary(vocabulary, table, hasByteTokens, ignoresMerges, () -> {
            JsonArray list = new JsonArray();
            merges.forEach(list::add);
            return list;
        });
    }

    private GgufVocabulary vocabulary(Vocabulary vocabulary, MergeTable table, boolean hasByteTokens, boolean ignoresMerges,
            Supplier<JsonArray> list) throws FormatException {
        int unknown = hasByteTokens ? tokens.roles().id(SpecialToken.UNK) : -1;
        JsonObject settings = new JsonObject();
        settings.addProperty("type", "BPE");
        settings.add("dropout", JsonNull.INSTANCE);
        if (unknown >= 0) {
            settings.addProperty("unk_token", tokens.text(unknown));
        }
        settings.addProperty("fuse_unk", hasByteTokens);
        settings.addProperty("byte_fallback", hasByteTokens);
        settings.addProperty("ignore_merges", ignoresMerges);
        json.add("added_tokens", tokens.addedTokens());
        var model = new PairMerges(vocabulary, table,
                new PairMerges.Settings(unknown, hasByteTokens, hasByteTokens, ignoresMerges, "", ""));
        return new GgufVocabulary(json, new TokenizerModel(model, settings, "merges", list), tokens.roles());
    }
}
