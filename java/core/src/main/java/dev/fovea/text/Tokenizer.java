package dev.fovea.text;

import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;

/**
 * Text to token ids, and back, as the Hugging Face tokenizers library gives them.
 *
 * <p>{@link #encode} gives all tokens of a text: truncation and padding are off, whatever the file
 * says. A model's input is {@link #prefix}, then tokens of the text, then {@link #suffix}; a text cut
 * to {@code limit} tokens in all is {@code prefix + first (limit − prefix − suffix) tokens + suffix},
 * which is what the library's own truncation gives. A special token that the text spells out, such as
 * {@code [SEP]}, becomes that token, as everywhere with this library. A surrogate without its partner
 * counts as U+FFFD.
 *
 * <p>Supported are WordPiece, WordLevel, BPE and Unigram models, with the parts that published models have. All is plain
 * Java; nothing is downloaded or written. With {@code -Dfovea.tokenizers=library} the library itself
 * tokenizes, whose jar, {@code ai.djl.huggingface:tokenizers}, must then be on the class path.
 *
 * <p>Safe to share between threads; a call while another thread closes finishes first.
 */
public final class Tokenizer implements AutoCloseable {
    /** The longest text, in chars. Each takes up to about 50 bytes while it is tokenized; with the library, 120. */
    public static final int MAX_CHARS = 1 << 23;

    /** The system property that says what tokenizes: {@code java}, the default, or {@code library}. */
    static final String LIBRARY_PROPERTY = "fovea.tokenizers";

    private final Engine engine;
    private final ToIntFunction<String> ids;
    private final Lifetime lifetime;
    private final SpecialTokens specialTokens;
    private final String unknownToken;
    private final boolean marksContinuations;
    private final int[] prefix;
    private final int[] suffix;
    private final int vocabularySize;
    private final Decoding decoding;
    private final Roles roles;

    private Tokenizer(Engine engine, TokenizerFile file) throws FormatException {
        this.engine = engine;
        this.ids = file.ids();
        this.lifetime = new Lifetime("tokenizer", engine::free);
        this.specialTokens = file.specialTokens();
        this.unknownToken = file.unknownToken();
        this.marksContinuations = file.marksContinuations();
        this.prefix = file.specialTokens().before();
        this.suffix = file.specialTokens().after();
        this.vocabularySize = file.vocabularySize();
        this.decoding = file.decoding();
        this.roles = file.roles();
    }

    /**
     * Loads a {@code tokenizer.json}.
     *
     * <p>With {@code -Dfovea.tokenizers=library}, the first call in a process loads the native library of DJL's
     * {@code tokenizers} jar from the cache ({@code -Dfovea.cache=DIR}), where it is copied first if
     * need be; {@code -Dfovea.tokenizers.path=FILE} names another library. On the module path, the
     * JVM then wants {@code --add-modules ai.djl.tokenizers} and
     * {@code --enable-native-access=dev.fovea,ai.djl.tokenizers}.
     *
     * @throws FormatException if the file is not a tokenizer, or has parts that are not supported
     * @throws IOException if the file is absent, a directory or not readable, or the native library is wanted and does
     *     not load
     */
    public static Tokenizer load(Path tokenizerJson) throws IOException {
        return load(TokenizerFile.read(tokenizerJson));
    }

    /**
     * Loads the tokenizer of a model: {@code tokenizer.json}, or BERT's {@code vocab.txt} where there is none, with the
     * settings of {@code tokenizer_config.json}, {@code special_tokens_map.json} and {@code added_tokens.json}; see
     * {@link #load(Path)}.
     *
     * @param folder that has these files
     * @param modelType {@code model_type} of the model's {@code config.json}, for settings that name no class
     * @throws FormatException if a file is not what it should be, has parts that are not supported, or contradicts
     *     another
     */
    public static Tokenizer load(Path folder, String modelType) throws IOException {
        return load(TokenizerFile.ofFolder(folder, modelType));
    }

    /**
     * Loads the tokenizer that a GGUF file carries; see {@link #load(Path)}.
     *
     * @throws FormatException if there is none, or it is of a kind that is not supported; the message names the key
     */
    public static Tokenizer load(GgufMetadata metadata) throws IOException {
        return load(TokenizerFile.of(metadata));
    }

    private static Tokenizer load(TokenizerFile file) throws IOException {
        String choice = System.getProperty(LIBRARY_PROPERTY, "java");
        if (!choice.equals("java") && !choice.equals("library")) {
            throw new IllegalArgumentException("expected -D" + LIBRARY_PROPERTY + "=java or library, got " + choice);
        }
        return load(file, choice.equals("library"));
    }

    /** Loads a {@code tokenizer.json} for Java, or the library. */
    static Tokenizer load(Path tokenizerJson, boolean byLibrary) throws IOException {
        return load(TokenizerFile.read(tokenizerJson), byLibrary);
    }

    /** Loads the tokenizer of a GGUF file for Java, or the library. */
    static Tokenizer load(GgufMetadata metadata, boolean byLibrary) throws IOException {
        return load(TokenizerFile.of(metadata), byLibrary);
    }

    private static Tokenizer load(TokenizerFile file, boolean byLibrary) throws IOException {
        return new Tokenizer(byLibrary ? LibraryEngine.load(file.file(), file) : new JavaEngine(file.pipeline()), file);
    }

    /**
     * The ids of all tokens of a text, in [0, {@link #vocabularySize}), without special tokens around them.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars, or the file's
     *     patterns run away on it or its replacements make it too long
     * @throws IllegalStateException if the tokenizer is closed
     */
    public int[] encode(String text) {
        enter(text);
        try {
            return engine.encode(text);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * As {@link #encode(String)}, but special tokens that the text spells out, such as {@code <|im_end|>}, are the text that
     * they are: what a user writes must not end a turn. Added tokens that are not special are still found.
     *
     * @throws IllegalStateException also with {@code -Dfovea.tokenizers=library}, which does not do this
     */
    public int[] encodeVerbatim(String text) {
        enter(text);
        try {
            return engine.encodeVerbatim(text);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * Writes the ids that {@link #encode(String)} gives, as 32-bit integers of the machine's byte order. Once warm, it
     * allocates nothing on the Java heap.
     *
     * @param ids has room for the ids, or for the first of them; the caller's
     * @return how many ids the text has, whatever the room
     * @throws IllegalArgumentException as {@link #encode(String)} does
     * @throws IllegalStateException if the tokenizer or the segment's arena is closed
     */
    public int encode(CharSequence text, MemorySegment ids) {
        Objects.requireNonNull(ids, "ids");
        enter(text);
        try {
            return engine.encode(text, ids);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * The tokens whose ids {@link #encode} gives, as the vocabulary spells them.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars
     * @throws IllegalStateException if the tokenizer is closed
     */
    public List<String> tokens(String text) {
        enter(text);
        try {
            return engine.tokens(text);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * The tokens that a model reads of a text, special tokens around it included: those of {@link #prefix}, of
     * {@link #tokens} and of {@link #suffix}.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars
     * @throws IllegalStateException if the tokenizer is closed
     */
    public List<String> inputTokens(String text) {
        enter(text);
        try {
            return Stream.of(Arrays.stream(prefix).mapToObj(engine::token), engine.tokens(text).stream(),
                    Arrays.stream(suffix).mapToObj(engine::token)).flatMap(tokens -> tokens).toList();
        } finally {
            lifetime.exit();
        }
    }

    /**
     * What a model reads of a text.
     *
     * @param limit the most tokens in all; ends are cut
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars, or the limit has no room
     *     for the special tokens
     * @throws IllegalStateException if the tokenizer is closed
     */
    public ModelInput input(String text, int limit) {
        return Inputs.of(specialTokens.single(), List.of(tokenize(text)), Truncation.LONGEST_FIRST, limit);
    }

    /**
     * What a model reads of a pair of texts; see {@link #input(String, int)}.
     *
     * @param truncation what is cut of them
     * @throws IllegalArgumentException also if the tokenizer's file has no template of a pair
     */
    public ModelInput input(String first, String second, Truncation truncation, int limit) {
        Objects.requireNonNull(truncation, "truncation");
        return Inputs.of(pairTemplate(), List.of(tokenize(first), tokenize(second)), truncation, limit);
    }

    /**
     * What a model reads of many pairs that begin with the same text; see
     * {@link #input(String, String, Truncation, int)}.
     */
    public PairInputs pairs(String first, Truncation truncation, int limit) {
        Objects.requireNonNull(truncation, "truncation");
        return new PairInputs(this, pairTemplate(), encode(first), truncation, limit);
    }

    private List<SpecialTokens.Piece> pairTemplate() {
        if (specialTokens.pair().isEmpty()) {
            throw new IllegalArgumentException("expected a text alone: the tokenizer has no template of a pair");
        }
        return specialTokens.pair();
    }

    private Inputs.Body tokenize(String text) {
        enter(text);
        try {
            return engine.tokenize(text);
        } finally {
            lifetime.exit();
        }
    }

    /** The id of a token of the vocabulary, added ones among them; −1 if there is none. See {@link #ids}. */
    public int id(String token) {
        lifetime.enter();
        try {
            return ids.applyAsInt(token);
        } finally {
            lifetime.exit();
        }
    }

    /** The ids of those of some tokens that the vocabulary has. */
    public Map<String, Integer> ids(Set<String> tokens) {
        Map<String, Integer> found = new HashMap<>();
        for (String token : tokens) {
            int id = id(token);
            if (id >= 0) {
                found.put(token, id);
            }
        }
        return found;
    }

    /** The text that a token stands for, spaces and all; empty if there is none of this id. */
    public String text(int id) {
        lifetime.enter();
        try {
            return engine.token(id);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * The text of tokens, without special ones; see {@link #decode(int[], boolean)}.
     */
    public String decode(int[] tokenIds) {
        return decode(tokenIds, false);
    }

    /**
     * The text of tokens, as the {@code decoder} of the file says it. A byte that is not valid UTF-8 becomes U+FFFD. Ids
     * that the vocabulary has no token for are left out.
     *
     * @param keepsSpecial whether special tokens are text too
     * @throws IllegalArgumentException if an id is not from 0 to {@link #vocabularySize} − 1
     * @throws IllegalStateException if the tokenizer is closed, or its file has a decoder that is not supported
     */
    public String decode(int[] tokenIds, boolean keepsSpecial) {
        TokenDecoder one = decoder(keepsSpecial);
        StringBuilder text = new StringBuilder();
        for (int id : tokenIds) {
            one.add(id, text);
        }
        one.end(text);
        return text.toString();
    }

    /**
     * What makes text of tokens as they come.
     *
     * @param keepsSpecial whether special tokens are text too
     * @throws IllegalStateException if the tokenizer is closed, or its file has a decoder that is not supported
     */
    public TokenDecoder decoder(boolean keepsSpecial) {
        lifetime.enter();
        try {
            return decoding.decoder(keepsSpecial);
        } finally {
            lifetime.exit();
        }
    }

    /**
     * The id of the token of a role; −1 if there is none, or the files that were read do not say it. A
     * {@code tokenizer.json} alone says little of this; the files beside it do, and so does a GGUF file.
     */
    public int id(SpecialToken role) {
        return roles.id(role);
    }

    /** The ids of all tokens that end what a model writes: EOS, EOT and EOM, and what published models have beside. */
    public int[] endIds() {
        return roles.ends();
    }

    /** Whether a token is a special one, which is not text. */
    public boolean isSpecial(int id) {
        return decoding.isSpecial(id);
    }

    /** The ids of the special tokens that the model wants before a single text, such as {@code [CLS]}. */
    public int[] prefix() {
        return prefix.clone();
    }

    /** The ids of the special tokens that the model wants after a single text, such as {@code [SEP]}. */
    public int[] suffix() {
        return suffix.clone();
    }

    /** The token that stands for what the vocabulary has not, such as {@code [UNK]}; null if there is none. */
    public String unknownToken() {
        return unknownToken;
    }

    /** Whether tokens that go on with a word are spelled with a prefix, such as {@code ##}. */
    public boolean marksContinuations() {
        return marksContinuations;
    }

    /** One more than the largest id that there is. */
    public int vocabularySize() {
        return vocabularySize;
    }

    /** Such as {@code Tokenizer[30522 tokens, prefix [101], suffix [102]]}. */
    @Override
    public String toString() {
        return "Tokenizer[" + vocabularySize + " tokens, prefix " + Arrays.toString(prefix) + ", suffix " + Arrays.toString(suffix) + ']';
    }

    /** Ends the tokenizer, when the last call that uses it has returned. Closing twice does nothing. */
    @Override
    public void close() {
        lifetime.close();
    }

    /** Lets a call in that is about a text. */
    private void enter(CharSequence text) {
        Objects.requireNonNull(text, "text");
        if (text.length() > MAX_CHARS) {
            throw new IllegalArgumentException(
                    "expected a text of at most " + MAX_CHARS + " chars, got " + text.length());
        }
        lifetime.enter();
    }
}
