package dev.fovea.text;

import ai.djl.huggingface.tokenizers.jni.TokenizersLibrary;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongFunction;
import java.util.stream.Stream;

/**
 * Text to token ids, by the Hugging Face tokenizers library.
 *
 * <p>{@link #encode} gives all tokens of a text: truncation and padding are off, whatever the file
 * says. A model's input is {@link #prefix}, then tokens of the text, then {@link #suffix}; a text cut
 * to {@code limit} tokens in all is {@code prefix + first (limit − prefix − suffix) tokens + suffix},
 * which is what the library's own truncation gives. A special token that the text spells out, such as
 * {@code [SEP]}, becomes that token, as everywhere with this library. A surrogate without its partner
 * counts as U+FFFD.
 *
 * <p>Supported are WordPiece, WordLevel, BPE and Unigram models, with the parts that encoders have. Nothing is
 * downloaded; the native library is copied once to the user's cache, see {@link #load}. Safe to share
 * between threads; a call while another thread closes finishes first.
 */
public final class Tokenizer implements AutoCloseable {
    /** The longest text, in chars. The library takes about 120 bytes of native memory for each. */
    public static final int MAX_CHARS = 1 << 23;

    private final TokenizersLibrary library;
    private final long handle;
    private final Lifetime lifetime;
    private final SpecialTokens specialTokens;
    private final String unknownToken;
    private final boolean marksContinuations;
    private final int[] prefix;
    private final int[] suffix;
    private final int vocabularySize;

    private Tokenizer(TokenizersLibrary library, long handle, TokenizerFile file) {
        this.library = library;
        this.handle = handle;
        this.lifetime = new Lifetime("tokenizer", () -> library.deleteTokenizer(handle));
        this.specialTokens = file.specialTokens();
        this.unknownToken = file.unknownToken();
        this.marksContinuations = file.marksContinuations();
        this.prefix = toArray(file.specialTokens().before());
        this.suffix = toArray(file.specialTokens().after());
        this.vocabularySize = file.vocabularySize();
    }

    /**
     * Loads a {@code tokenizer.json}. The first call in a process loads the native library of DJL's
     * {@code tokenizers} jar from the cache ({@code -Dfovea.cache=DIR}), where it is copied first if
     * need be; {@code -Dfovea.tokenizers.path=FILE} names another library. On the module path, the
     * JVM wants {@code --enable-native-access=dev.fovea,ai.djl.tokenizers}.
     *
     * @throws FormatException if the file is not a tokenizer, or has parts that are not supported
     * @throws IOException if the file is absent, a directory or not readable, or the native library does not load
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
     * @throws FormatException if there is none, or it is of another kind than WordPiece; the message names the key
     */
    public static Tokenizer load(GgufMetadata metadata) throws IOException {
        return load(TokenizerFile.of(metadata));
    }

    private static Tokenizer load(TokenizerFile file) throws IOException {
        TokenizersLibrary library = TokenizerLibrary.load();
        long handle;
        try {
            handle = library.createTokenizerFromString(file.json());
        } catch (RuntimeException e) {
            throw new FormatException(file.file(), -1, "tokenizer", e.getMessage(), e);
        }
        return new Tokenizer(library, handle, file);
    }

    /**
     * The ids of all tokens of a text, in [0, {@link #vocabularySize}), without special tokens around them.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars
     * @throws IllegalStateException if the tokenizer is closed
     */
    public int[] encode(String text) {
        return onEncoding(text, encoding -> toArray(library.getTokenIds(encoding)));
    }

    /**
     * The tokens whose ids {@link #encode} gives, as the vocabulary spells them.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars
     * @throws IllegalStateException if the tokenizer is closed
     */
    public List<String> tokens(String text) {
        return onEncoding(text, encoding -> List.of(library.getTokens(encoding)));
    }

    /**
     * The tokens that a model reads of a text, special tokens around it included: those of {@link #prefix}, of
     * {@link #tokens} and of {@link #suffix}.
     *
     * @throws IllegalArgumentException if the text has more than {@link #MAX_CHARS} chars
     * @throws IllegalStateException if the tokenizer is closed
     */
    public List<String> inputTokens(String text) {
        return onEncoding(text, encoding -> Stream.of(
                        Arrays.stream(prefix).mapToObj(this::token),
                        Arrays.stream(library.getTokens(encoding)),
                        Arrays.stream(suffix).mapToObj(this::token))
                .flatMap(tokens -> tokens)
                .toList());
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
        if (specialTokens.pair().isEmpty()) {
            throw new IllegalArgumentException("expected a text alone: the tokenizer has no template of a pair");
        }
        return Inputs.of(specialTokens.pair(), List.of(tokenize(first), tokenize(second)), truncation, limit);
    }

    private Inputs.Body tokenize(String text) {
        return onEncoding(text, encoding -> new Inputs.Body(text, library.getTokenIds(encoding),
                library.getTokenCharSpans(encoding), library.getWordIds(encoding)));
    }

    /** The id of a token of the vocabulary, added ones among them; −1 if there is none. See {@link #ids}. */
    public int id(String token) {
        return ids(Set.of(token)).getOrDefault(token, -1);
    }

    /** The ids of those of some tokens that the vocabulary has. Looks at every token that there is. */
    public Map<String, Integer> ids(Set<String> tokens) {
        Map<String, Integer> ids = new HashMap<>();
        lifetime.enter();
        try {
            for (int id = 0; id < vocabularySize && ids.size() < tokens.size(); id++) {
                String token = token(id);
                if (tokens.contains(token)) {
                    ids.putIfAbsent(token, id);
                }
            }
        } finally {
            lifetime.exit();
        }
        return ids;
    }

    /** The text that a token stands for, spaces and all; empty if there is none of this id. */
    public String text(int id) {
        lifetime.enter();
        try {
            return token(id);
        } finally {
            lifetime.exit();
        }
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

    /** Frees the native tokenizer, when the last call that uses it has returned. Closing twice does nothing. */
    @Override
    public void close() {
        lifetime.close();
    }

    /** The token with an id, without a decoder that would change it; empty if there is none. */
    private String token(int id) {
        return library.decode(handle, new long[] {id}, false);
    }

    private <T> T onEncoding(String text, LongFunction<T> reader) {
        Objects.requireNonNull(text, "text");
        if (text.length() > MAX_CHARS) {
            throw new IllegalArgumentException(
                    "expected a text of at most " + MAX_CHARS + " chars, got " + text.length());
        }
        lifetime.enter();
        try {
            long encoding = library.encode(handle, Utf16.wellFormed(text), false);
            try {
                return reader.apply(encoding);
            } finally {
                library.deleteEncoding(encoding);
            }
        } finally {
            lifetime.exit();
        }
    }

    private static int[] toArray(List<Integer> ids) {
        return ids.stream().mapToInt(Integer::intValue).toArray();
    }

    private static int[] toArray(long[] ids) {
        int[] narrow = new int[ids.length];
        for (int i = 0; i < ids.length; i++) {
            narrow[i] = (int) ids[i];
        }
        return narrow;
    }
}
