package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.Session;
import dev.fovea.model.sentence.Piece;
import dev.fovea.model.sentence.PieceCutter;
import dev.fovea.model.sentence.PieceMean;
import dev.fovea.ops.Similarity;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * Turns texts into vectors. Safe to share between threads.
 *
 * <pre>{@code
 * try (var encoder = TextEncoder.load("all-minilm-l6-v2")) {
 *     float[] vector = encoder.encode("How do I reset my password?");
 * }
 * }</pre>
 *
 * <p>A text's vector is the same to the last bit alone, in any list, with any number of threads and whatever else runs
 * at the same time. Forgetting to close costs memory; it does not keep the JVM alive.
 */
public final class TextEncoder implements AutoCloseable {
    private final EncoderModel model;
    private final PieceCutter cutter;
    private final SessionPool<EncoderSession> sessions;
    private final TextBatches batches;

    private TextEncoder(EncoderModel model) {
        this.model = model;
        this.cutter = new PieceCutter(model.tokenizer(), model.sentence(), model.name());
        this.sessions = model.own(new SessionPool<>(() -> EncoderSession.create(model), EncoderSession::close));
        this.batches = new TextBatches(model, sessions);
    }

    /** Loads a model with {@link EncoderOptions#defaults()}; see {@link #load(String, EncoderOptions)}. */
    public static TextEncoder load(String nameOrDirectory) throws IOException {
        return load(nameOrDirectory, EncoderOptions.defaults());
    }

    /** Loads a directory with {@link EncoderOptions#defaults()}; see {@link #load(Path, EncoderOptions)}. */
    public static TextEncoder load(Path directory) throws IOException {
        return load(directory, EncoderOptions.defaults());
    }

    /**
     * Loads a model.
     *
     * @param nameOrDirectory a name that {@link ModelCatalog#find} knows, else a directory in the Hugging Face layout or
     *     a {@code .gguf} file
     * @throws ModelNotFoundException if it is neither, or the named model is not on this machine; the message says
     *     the command that gets it
     * @throws FormatException if a file of the model is damaged or does not fit the others
     * @throws IOException if a file cannot be read, or the cache not be written
     * @throws IllegalArgumentException if the name is empty, or the engine's options name an ISA that does not run here
     * @throws UnsupportedOperationException if the backend asked for is not available here
     */
    public static TextEncoder load(String nameOrDirectory, EncoderOptions options) throws IOException {
        Objects.requireNonNull(nameOrDirectory, "nameOrDirectory");
        Objects.requireNonNull(options, "options");
        // As a path, this would be the working directory.
        if (nameOrDirectory.isEmpty()) {
            throw new IllegalArgumentException("expected the name of a model or a directory, got ''");
        }
        var named = ModelCatalog.find(nameOrDirectory);
        // With an organisation before it, a name is a path as well; and so is that of a directory that was brought.
        if (named.isPresent() && (nameOrDirectory.contains("/") || !named.get().hasArtifact())
                && EncoderPath.isModel(nameOrDirectory)) {
            named = Optional.empty();
        }
        if (named.isPresent()) {
            return loadNamed(named.get(), options);
        }
        return load(EncoderPath.of(nameOrDirectory), options);
    }

    /**
     * Loads the model in a directory in the Hugging Face layout: {@code config.json} of a BERT-family encoder,
     * {@code tokenizer.json}, {@code model.safetensors} or {@code model.onnx}, and the files of sentence-transformers
     * where there are any. Or the model in one {@code .gguf} file, as llama.cpp writes encoders.
     *
     * @throws ModelNotFoundException if there is no such directory, or a file that a model needs is not in it
     * @throws FormatException if a file of the model is damaged or does not fit the others
     * @throws IOException if a file cannot be read
     * @throws IllegalArgumentException if the engine's options name an ISA that does not run here
     * @throws UnsupportedOperationException if the backend asked for is not available here
     */
    public static TextEncoder load(Path directory, EncoderOptions options) throws IOException {
        Objects.requireNonNull(directory, "directory");
        Objects.requireNonNull(options, "options");
        Path absolute = directory.toAbsolutePath().normalize();
        EncoderPath.requireNoPart(absolute);
        return new TextEncoder(EncoderModel.load(String.valueOf(absolute.getFileName()), () -> absolute, options));
    }

    /**
     * The text's vector, {@link #dimension()} components.
     *
     * @throws IllegalArgumentException if the text has more than {@link Tokenizer#MAX_CHARS} chars, whatever the
     *     policy, or too many tokens and the policy is {@link LengthPolicy#ERROR}; the message names both numbers
     * @throws IllegalStateException if the encoder is closed
     * @throws ArithmeticException if the vector is not finite; the message has the text's beginning
     */
    public float[] encode(String text) {
        Objects.requireNonNull(text, "text");
        return embedAll(List.of(text)).getFirst().vector();
    }

    /** Each text's vector, in order, for any number of texts; see {@link #encode}. */
    public float[][] encodeAll(List<String> texts) {
        return embedAll(texts).stream().map(TextEmbedding::vector).toArray(float[][]::new);
    }

    /** Each text's vector and tokens, in order, for any number of texts; see {@link #encode}. */
    public List<TextEmbedding> embedAll(List<String> texts) {
        return embed(texts, model.prompt());
    }

    /**
     * As {@link #embedAll(List)}, with another prompt before each text than the encoder's own: one encoder serves both
     * queries and documents.
     *
     * @param prompt as {@link EncoderOptions#withPrompt} takes it
     * @throws IllegalArgumentException if it looks like a name, and the model has no prompt of that name
     */
    public List<TextEmbedding> embedAll(List<String> texts, String prompt) {
        Objects.requireNonNull(prompt, "prompt");
        return embed(texts, model.sentence().prompts().resolve(prompt, model.name()));
    }

    private List<TextEmbedding> embed(List<String> texts, String prompt) {
        Objects.requireNonNull(texts, "texts");
        List<TextEmbedding> results = new ArrayList<>(texts.size());
        long arrival = WatchedCall.arrival(model.engine());
        model.owner().enter();
        try {
            sessions.run(session -> {
                WatchedCall call = session.call();
                call.beginEncoding(arrival);
                call.encoded(texts.size(), encode(texts, prompt, session, results));
            });
        } finally {
            model.owner().exit();
        }
        return results;
    }

    /** Returns the number of tokens. */
    private long encode(List<String> texts, String prompt, EncoderSession session, List<TextEmbedding> results) {
        try {
            return SpreadTexts.pays(model.engine(), texts)
                    ? new SpreadTexts(model, sessions, texts, (text, label) -> cut(prompt, text, label)).encode(session, results)
                    : new TextBatch(model, results).encode(texts, (text, label) -> cut(prompt, text, label), session);
        } catch (Throwable e) {
            session.call().encodingFailed(e);
            throw e;
        }
    }

    /**
     * A text for an {@link EncoderQueue}, with the encoder's own prompt.
     *
     * @throws IllegalArgumentException as {@link #encode} does
     */
    public EncoderInput<TextEmbedding> input(String text) {
        return textInput(text, model.prompt());
    }

    /** A text for an {@link EncoderQueue}, with a prompt as {@link #embedAll(List, String)} takes it. */
    public EncoderInput<TextEmbedding> input(String text, String prompt) {
        Objects.requireNonNull(prompt, "prompt");
        return textInput(text, model.sentence().prompts().resolve(prompt, model.name()));
    }

    /**
     * Token ids of a text for an {@link EncoderQueue}, without a prompt: those that {@link Tokenizer#encode(String)} gives.
     * Where there are too many, they are cut, whatever the policy; {@link EncoderInput#truncated} says so.
     *
     * @throws IllegalArgumentException if an id is not one of the tokenizer's
     */
    public EncoderInput<TextEmbedding> inputOfIds(int[] ids) {
        model.owner().enter();
        try {
            return new TextInput(batches, ids.length + " token ids", List.of(cutter.ofIds(ids)));
        } finally {
            model.owner().exit();
        }
    }

    private TextInput textInput(String text, String prompt) {
        Objects.requireNonNull(text, "text");
        model.owner().enter();
        try {
            return new TextInput(batches, text, cut(prompt, text, "the text"));
        } finally {
            model.owner().exit();
        }
    }

    /** What runs its inputs. */
    TextBatches batches() {
        return batches;
    }

    /**
     * What every token of a text attends to, in every layer and head: see {@link AttentionPattern}. The text runs
     * through the steps and weights that {@link #encode} uses; its layers · heads · tokens² weights take 4 bytes each.
     *
     * @throws IllegalArgumentException if the text has more tokens than {@link #maxTokens()}, whatever the policy; the
     *     message names both numbers
     * @throws IllegalStateException if the encoder is closed
     */
    public AttentionPattern explain(String text) {
        Objects.requireNonNull(text, "text");
        model.owner().enter();
        try {
            int[] ids = cutter.whole(model.prompt(), text, "the text").ids();
            if (ids.length == 0) {
                throw new IllegalArgumentException("expected a text of at least 1 token, got 0");
            }
            try (Session session = model.newExplainingSession(ids.length)) {
                session.run(1, MemorySegment.ofArray(ids), MemorySegment.ofArray(new int[] {0, ids.length}));
                List<String> tokens = cutter.tokens(model.prompt(), text);
                return AttentionPattern.copyOf(tokens, tokens, session.patterns());
            }
        } finally {
            model.owner().exit();
        }
    }

    private List<Piece> cut(String prompt, String text, String label) {
        return switch (model.lengthPolicy()) {
            case TRUNCATE -> List.of(cutter.truncated(prompt, text, label));
            case ERROR -> List.of(cutter.whole(prompt, text, label));
            case CHUNK_MEAN -> cutter.chunks(prompt, text, label);
        };
    }

    /**
     * A session for one thread, over this encoder's weights. The caller closes it.
     *
     * @throws IllegalStateException if the encoder is closed
     */
    public EncoderSession newSession() {
        model.owner().enter();
        try {
            return EncoderSession.create(model);
        } finally {
            model.owner().exit();
        }
    }

    /**
     * The first components of one of this encoder's vectors, normalised again if they are: what
     * {@link EncoderOptions#withDimensions} gives, for one call.
     *
     * @throws IllegalArgumentException if there are fewer components than {@code dimensions}, or {@code dimensions} is below 1
     */
    public float[] shortened(float[] vector, int dimensions) {
        if (vector.length != dimension() || dimensions < 1 || dimensions > vector.length) {
            throw new IllegalArgumentException("expected 1 to " + dimension() + " dimensions of a vector of " + dimension()
                    + " components, got " + dimensions + " of " + vector.length);
        }
        if (dimensions == vector.length) {
            return vector.clone();
        }
        PieceMean part = new PieceMean(vector.length);
        part.add(vector, 1);
        return part.finish(dimensions, model.sentence().normalizes());
    }

    /** Components of a vector. */
    public int dimension() {
        return model.dimension();
    }

    /** Tokens that the model takes, special tokens included. */
    public int maxTokens() {
        return model.maxTokens();
    }

    /**
     * How token vectors become one, as sentence-transformers writes it: {@code mean}, {@code cls}, {@code max},
     * {@code mean_sqrt_len_tokens}, {@code weightedmean} or {@code lasttoken}, or several of them with {@code +}
     * between, whose results are concatenated.
     */
    public String pooling() {
        return model.pipeline().pooling();
    }

    /** How token vectors become a text's vector, in one line: {@code mean → Dense(384 → 128, tanh) → Normalize}. */
    public String pipeline() {
        return model.pipeline().describe();
    }

    /** What stands before every text; empty if there is none. */
    public String prompt() {
        return model.prompt();
    }

    /** The model's prompts by name, which {@link EncoderOptions#withPrompt} takes. */
    public Map<String, String> prompts() {
        return model.sentence().prompts().texts();
    }

    /** What the model's vectors are meant to be compared with. */
    public Similarity similarity() {
        return model.sentence().similarity();
    }

    /** What the weights of linear layers are kept as. */
    public WeightType weights() {
        return model.weightType();
    }

    /**
     * What the model is and which of its files say so, for people: names and values, in the order in which to show
     * them. Names stay the same from release to release; values are prose.
     */
    public Map<String, String> properties() {
        return model.properties();
    }

    /** The name that it was loaded by, or the directory's. */
    public String name() {
        return model.name();
    }

    /** What makes token ids of texts. It is closed with the encoder. */
    public Tokenizer tokenizer() {
        return model.tokenizer();
    }

    /** What it takes of memory off the Java heap now. */
    public MemoryUse memory() {
        return model.memory();
    }

    /** Such as {@code TextEncoder[all-minilm-l6-v2, 384 dimensions, mean → Normalize, F32, NATIVE engine (avx2, 4 threads)]}. */
    @Override
    public String toString() {
        return "TextEncoder[" + name() + ", " + dimension() + " dimensions, " + pipeline() + ", " + weights() + ", " + engine() + ']';
    }

    /** What it runs on. */
    public Engine engine() {
        return model.engine();
    }

    /**
     * Frees the model, at once or when the calls in progress are done. Later calls throw
     * {@link IllegalStateException}. Idempotent; never waits.
     */
    @Override
    public void close() {
        model.owner().close();
    }

    private static TextEncoder loadNamed(NamedModel model, EncoderOptions options) throws IOException {
        var place = new NamedPlace(model);
        try {
            return new TextEncoder(EncoderModel.load(model.name(), place, options));
        } catch (FormatException e) {
            throw place.damaged(e);
        }
    }
}
