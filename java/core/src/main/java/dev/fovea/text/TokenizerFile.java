package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.stream.JsonReader;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.JsonSyntax;
import dev.fovea.internal.files.ReadableFile;
import dev.fovea.internal.text.AddedToken;
import dev.fovea.internal.text.TokenPipeline;
import dev.fovea.internal.text.Vocabulary;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToIntFunction;

/**
 * A {@code tokenizer.json}, checked.
 *
 * <p>The Hugging Face library is native code that ends the process where it meets a contradiction
 * that it does not expect. So where it is to tokenize, it never sees the file itself, but {@link #libraryJson}: what the
 * file says, limited to known components with values that are known to be safe, and without what this package
 * does itself or not at all: truncation, padding, special tokens and decoding.
 */
final class TokenizerFile {
    private static final long MAX_BYTES = 1 << 28;

    private final Path file;
    private final TokenizerSettings settings;
    private final JsonObject root = new JsonObject();
    private Vocabulary vocabulary;
    private SpecialTokens specialTokens;
    private int maxId;
    private boolean keepsSpace;
    private TokenizerModel model;
    private JsonElement normalizer;
    private JsonElement preTokenizer;
    private Roles roles;
    private final JsonArray addedTokens = new JsonArray();
    private final List<AddedToken> tokens = new ArrayList<>();

    private TokenizerFile(Path file, TokenizerSettings settings) {
        this.file = file;
        this.settings = settings;
    }

    /**
     * Reads and checks a file.
     *
     * @throws FormatException if it is not a tokenizer, or has components that are not supported
     * @throws IOException if it is absent, a directory or not readable
     */
    static TokenizerFile read(Path file) throws IOException {
        return of(file, bytes(file), TokenizerSettings.NONE);
    }

    /**
     * Reads and checks the tokenizer in a folder: its {@code tokenizer.json}, or a {@code vocab.txt} that stands for
     * one, with the settings beside it.
     *
     * @param modelType that of the model's {@code config.json}
     */
    static TokenizerFile ofFolder(Path folder, String modelType) throws IOException {
        TokenizerSettings settings = TokenizerSettings.read(folder, modelType);
        Path file = folder.resolve("tokenizer.json");
        Path vocabulary = folder.resolve("vocab.txt");
        if (!Files.exists(file) && Files.exists(vocabulary)) {
            return of(vocabulary, VocabularyFile.toTokenizerJson(vocabulary, settings), settings);
        }
        return of(file, bytes(file), settings);
    }

    /** Reads and checks the tokenizer that a GGUF file carries. */
    static TokenizerFile of(GgufMetadata metadata) throws IOException {
        if (GgufVocabulary.isWordPiece(metadata)) {
            return of(metadata.file(), GgufWordPiece.toTokenizerJson(metadata), TokenizerSettings.NONE);
        }
        TokenizerFile tokenizer = new TokenizerFile(metadata.file(), TokenizerSettings.NONE);
        GgufVocabulary read = GgufVocabulary.read(metadata);
        read.json().entrySet().forEach(part -> tokenizer.root.add(part.getKey(), part.getValue()));
        tokenizer.model = read.model();
        tokenizer.roles = read.roles();
        tokenizer.check();
        return tokenizer;
    }

    private static TokenizerFile of(Path file, byte[] json, TokenizerSettings settings) throws IOException {
        TokenizerFile tokenizer = new TokenizerFile(file, settings);
        tokenizer.parse(json);
        tokenizer.check();
        return tokenizer;
    }

    /** The file that it was read from. */
    Path file() {
        return file;
    }

    /**
     * What the library is to load.
     *
     * @throws FormatException if it has values that the library is not safe with
     */
    String libraryJson() throws FormatException {
        JsonFields fields = JsonFields.of(file, "", root);
        for (int i = 0; i < tokens.size(); i++) {
            if (tokens.get(i).stripsRight()) {
                throw fields.error("added_tokens[" + i + "].rstrip", "expected false; true is not supported by the library");
            }
        }
        JsonObject checked = new JsonObject();
        checked.addProperty("version", "1.0");
        checked.add("truncation", JsonNull.INSTANCE);
        checked.add("padding", JsonNull.INSTANCE);
        checked.add("added_tokens", addedTokens);
        checked.add("normalizer", normalizer);
        checked.add("pre_tokenizer", preTokenizer);
        checked.add("post_processor", JsonNull.INSTANCE);
        checked.add("decoder", JsonNull.INSTANCE);
        String parts = checked.toString();
        return parts.substring(0, parts.length() - 1) + ",\"model\":" + model.libraryJson() + '}';
    }

    /**
     * The tokenizer in plain Java.
     *
     * @throws FormatException if it has parts that only the library has
     */
    TokenPipeline pipeline() throws FormatException {
        return new PipelineReader(file).pipeline(normalizer, preTokenizer, model.model(), tokens);
    }

    /** Gives the id of a token, added ones among them; −1 if there is none. Keeps nothing of the file beside. */
    ToIntFunction<String> ids() {
        Map<String, Integer> added = new HashMap<>();
        for (AddedToken token : tokens) {
            added.putIfAbsent(token.content(), token.id());
        }
        Vocabulary known = vocabulary;
        return token -> {
            Integer id = added.get(token);
            return id != null ? id : known.id(token);
        };
    }

    /** What makes text of tokens. Keeps nothing of the file beside. */
    Decoding decoding() throws FormatException {
        JsonObject part = new JsonObject();
        if (root.has("decoder")) {
            part.add("decoder", root.get("decoder"));
        }
        return new Decoding(vocabulary, List.copyOf(tokens), JsonFields.of(file, "", part), vocabularySize());
    }

    /** What special tokens are for. */
    Roles roles() {
        return roles;
    }

    /** One more than the largest id. */
    int vocabularySize() {
        return maxId + 1;
    }

    /** The token that stands for what the vocabulary has not, or null. */
    String unknownToken() {
        return model.settings().has("unk_token") ? model.settings().get("unk_token").getAsString() : null;
    }

    /** Whether tokens that go on with a word are spelled with a prefix. */
    boolean marksContinuations() {
        return model.settings().has("continuing_subword_prefix");
    }

    /** The tokens around a single text. */
    SpecialTokens specialTokens() {
        return specialTokens;
    }

    private static byte[] bytes(Path file) throws IOException {
        ReadableFile.require(file);
        if (Files.size(file) > MAX_BYTES) {
            throw new FormatException(
                    file, 0, "size", "expected at most " + MAX_BYTES + " bytes, got " + Files.size(file));
        }
        return Files.readAllBytes(file);
    }

    /** Reads the vocabulary, and everything else into {@link #root}. */
    private void parse(byte[] bytes) throws IOException {
        VocabularyReader split = VocabularyReader.read(file, bytes);
        vocabulary = split.vocabulary();
        JsonReader reader = JsonSyntax.strict(new StringReader(text(split.rest())));
        try {
            reader.beginObject();
            while (reader.hasNext()) {
                String key = reader.nextName();
                root.add(key, JsonParser.parseReader(reader));
            }
            reader.endObject();
            reader.peek();
        } catch (JsonParseException | IOException | IllegalStateException | NumberFormatException e) {
            throw new FormatException(file, -1, "text", JsonSyntax.problem(e), e);
        }
    }

    private String text(byte[] bytes) throws FormatException {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            throw new FormatException(file, -1, "text", "not valid UTF-8", e);
        }
    }

    private void check() throws FormatException {
        JsonFields fields = JsonFields.of(file, "", root);
        settings.resolve(fields);
        if (model == null) {
            model = TokenizerModel.check(fields.object("model"), vocabulary);
        }
        vocabulary = model.vocabulary();
        maxId = vocabulary.maxId();
        normalizer = TextPipeline.NORMALIZERS.check(fields, "normalizer");
        keepsSpace = TextPipeline.keepsCharacters(normalizer);
        checkAddedTokens(fields);
        preTokenizer = TextPipeline.PRE_TOKENIZERS.check(fields, "pre_tokenizer");
        boolean wellFormed = Utf16.isWellFormed(normalizer) && Utf16.isWellFormed(addedTokens)
                && Utf16.isWellFormed(preTokenizer) && Utf16.isWellFormed(model.settings());
        if (!wellFormed || !vocabulary.isWellFormed()) {
            throw fields.error("text", "has an escaped surrogate alone");
        }
        specialTokens = SpecialTokens.of(fields, Vocabulary.MAX_ID);
        settings.requireSpecials(unknownToken(), specialTokens.first(), specialTokens.last());
        for (int id : specialTokens.all()) {
            maxId = Math.max(maxId, id);
        }
        if (roles == null) {
            roles = Roles.of(settings, ids());
        }
        roles.complete(tokens, unknownToken() == null ? -1 : vocabulary.id(unknownToken()));
    }

    /** Those of the file, then those of the settings; where these have one of the file's, their flags count. */
    private void checkAddedTokens(JsonFields fields) throws FormatException {
        Map<String, JsonObject> checked = new LinkedHashMap<>();
        AddedIds ids = new AddedIds(vocabulary);
        if (fields.has("added_tokens")) {
            for (JsonFields token : fields.objects("added_tokens")) {
                JsonObject known = checkAddedToken(token, ids);
                if (checked.putIfAbsent(token.string("content"), known) != null) {
                    checked.put("\0" + checked.size(), known); // the library's to judge
                }
            }
        }
        for (JsonFields token : settings.addedTokens()) {
            String content = token.string("content");
            if (token.has("id") || !checked.containsKey(content)) {
                if (!token.has("id")) {
                    token.json().addProperty("id", ids.give(content));
                }
                checked.put(content, checkAddedToken(token, ids));
            }
        }
        for (JsonObject token : checked.values()) {
            addedTokens.add(token);
            tokens.add(addedToken(token));
        }
    }

    private JsonObject checkAddedToken(JsonFields token, AddedIds ids) throws FormatException {
        String content = token.string("content");
        // What vanishes when it is normalized, or takes the white space behind it along, makes the
        // library cut a text at places that do not exist.
        if (token.flag("normalized") && !keepsSpace
                ? content.codePoints().noneMatch(TokenizerFile::staysWhenNormalized) : content.isEmpty()) {
            throw token.error("content", "expected some visible text, got '" + Excerpt.of(content) + "'");
        }
        int id = token.integer("id", Vocabulary.MAX_ID);
        if (id != ids.give(content)) {
            throw token.error("id", "token '" + Excerpt.of(content) + "' has the id " + id
                    + " here, but " + ids.give(content) + " by the vocabulary");
        }
        maxId = Math.max(maxId, id);
        JsonObject checked = new JsonObject();
        checked.addProperty("id", id);
        checked.addProperty("content", content);
        for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized", "special")) {
            checked.addProperty(flag, token.flag(flag));
        }
        return checked;
    }

    private static AddedToken addedToken(JsonObject checked) {
        return new AddedToken(checked.get("id").getAsInt(), checked.get("content").getAsString(),
                checked.get("single_word").getAsBoolean(), checked.get("lstrip").getAsBoolean(),
                checked.get("rstrip").getAsBoolean(), checked.get("normalized").getAsBoolean(),
                checked.get("special").getAsBoolean());
    }

    private static boolean staysWhenNormalized(int codePoint) {
        return codePoint > ' ' && codePoint <= '~' || Character.isLetterOrDigit(codePoint);
    }
}
