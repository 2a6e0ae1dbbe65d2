package dev.fovea.model;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.DecoderConfig;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.generation.Sampler;
import dev.fovea.model.generation.Sampling;
import dev.fovea.model.grammar.Constraint;
import dev.fovea.model.grammar.Vocabulary;
import dev.fovea.text.TokenDecoder;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.FormatException;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * A language model that goes on with a text, token by token.
 *
 * <pre>{@code
 * try (var model = TextGenerator.load(Path.of("Qwen3-0.6B"))) {
 *     var options = SamplingOptions.sampling(0.7f, 1).withTopP(0.9f).withMaxTokens(200);
 *     model.generate("The capital of France is", options, (text, _) -> {
 *         System.out.print(text);
 *         return true;
 *     });
 * }
 * }</pre>
 *
 * <p>Safe to share between threads: each answer has keys and values of its own. The same prompt, options and seed give the
 * same text, whoever else generates and with any number of threads.
 */
public final class TextGenerator implements AutoCloseable {
    private static final TextListener SILENT = (_, _) -> true;

    private final Path path;
    private final DecoderConfig config;
    private final Description description;
    /** Null where there is none that is read. */
    private final Tokenizer tokenizer;
    /** Why there is none. */
    private final IOException tokenizerProblem;
    /** Null where there is none. */
    private final ChatTemplate chatTemplate;
    private final ChatTools chatTools;
    private final int[] ends;
    /** Null where there is no tokenizer. */
    private final Vocabulary<OutputFormat> formats;
    private final GeneratorOptions options;
    private final Engine engine;
    private final CacheGroup caches;
    private final Plan plan;
    private final SessionPool<GeneratorSession> sessions;
    private final Owner owner;

    private TextGenerator(Path path, GeneratorOptions options, Owner owner) throws IOException {
        this.path = path;
        this.options = options;
        this.owner = owner;
        GeneratorSource source = GeneratorSource.of(path);
        Weights file = owner.own(source.openWeights());
        // The tokenizer on another thread, while this one reads the rest.
        Loading<Tokenizer> tokens = owner.own(new Loading<>("tokenizer", source::openTokenizer));
        engine = options.engine() != null ? options.engine() : owner.own(Engine.create(options.engineOptions()));
        config = source.config();
        description = config.decoder(context(config, options.context()));
        ModelWeights weights = config.weights(description, file);
        Graph graph = ModelGraph.generator(description, weights);
        caches = graph.caches().getFirst();
        plan = owner.own(Plan.compile(graph, engine, weightType(weights).storage()));
        sessions = owner.own(new SessionPool<>(this::newSession, GeneratorSession::close));
        IOException problem = null;
        Tokenizer read = null;
        try {
            read = tokens.get();
        } catch (FormatException | ModelNotFoundException e) {
            problem = e; // it reads and writes ids
        }
        tokenizer = read;
        tokenizerProblem = problem;
        chatTemplate = tokenizer == null ? null : source.chatTemplate(tokenizer);
        chatTools = chatTemplate == null ? null : new ChatTools(tokenizer, chatTemplate.source());
        ends = IntStream.concat(source.ends().stream().mapToInt(Integer::intValue),
                tokenizer == null ? IntStream.empty() : IntStream.of(tokenizer.endIds())).distinct().toArray();
        formats = tokenizer == null ? null : new Vocabulary<>(tokenizer, vocabulary(), ends);
    }

    private static int context(DecoderConfig config, int wanted) throws IOException {
        int trained = config.positions();
        int most = config.longest();
        if (wanted > most) {
            throw new IllegalArgumentException("expected a context of at most the " + most + " tokens that the model of "
                    + config.json().file() + " reads, got " + wanted);
        }
        return wanted > 0 ? wanted : Math.min(trained, GeneratorOptions.DEFAULT_CONTEXT);
    }

    private WeightType weightType(ModelWeights weights) {
        return options.weights() != null ? options.weights()
                : engine.backend() != Backend.CUDA ? WeightType.STORED : weights.areBf16() ? WeightType.BF16 : WeightType.F32;
    }

    /** Loads a directory in the layout of Hugging Face, or a GGUF file. See {@link #load(Path, GeneratorOptions)}. */
    public static TextGenerator load(Path path) throws IOException {
        return load(path, GeneratorOptions.defaults());
    }

    /**
     * Loads a directory in the layout of Hugging Face ({@code config.json}, weights as safetensors, {@code tokenizer.json}),
     * or a GGUF file of llama.cpp. One whose tokenizer is missing or not supported reads and writes token ids alone.
     *
     * @throws ModelNotFoundException if there is nothing, or a file that a model needs is not in the directory
     * @throws dev.fovea.weights.FormatException if a file is not what it should be, or a setting that changes results is not
     *     supported; the message names it
     * @throws IOException if a file is not readable
     * @throws IllegalArgumentException if the context is longer than the model's
     */
    public static TextGenerator load(Path path, GeneratorOptions options) throws IOException {
        Objects.requireNonNull(options, "options");
        return Owner.create("generator of " + path.getFileName(), owner -> new TextGenerator(path, options, owner));
    }

    /** Whether a path is that of a language model: a GGUF file or a directory of a known family. Reads settings alone. */
    public static boolean takes(Path path) throws IOException {
        return GeneratorProperties.takes(path);
    }

    /** What the language model of a path is, in words. Reads all but its weights. */
    public static Map<String, String> properties(Path path) throws IOException {
        return GeneratorProperties.of(path);
    }

    /** Whether it reads and writes texts, not ids alone. */
    public boolean hasTokenizer() {
        return tokenizer != null;
    }

    /** Tokens of the longest sequence, prompt and answer together. */
    public int context() {
        return description.maxTokens();
    }

    /** Token ids are below it. */
    public int vocabulary() {
        return description.vocabulary();
    }

    /** Goes on with a text; see {@link #generate(String, SamplingOptions, TextListener)}. */
    public GeneratedText generate(String prompt, SamplingOptions options) {
        return generate(prompt, options, SILENT);
    }

    /**
     * Goes on with a text. It is read as the tokenizer reads texts for models, with the token that begins a text, if the
     * model has one.
     *
     * @param listener hears of the text as it comes
     * @throws IllegalArgumentException if the prompt has no tokens, or more than the context; or an answer cannot be of the
     *     format, as there are too many ways to read what is written
     * @throws IllegalStateException if the model is closed
     * @throws UnsupportedOperationException if it has no tokenizer that is read; the message says why
     */
    public GeneratedText generate(String prompt, SamplingOptions options, TextListener listener) {
        return generate(ids(prompt), options, listener);
    }

    /** Answers the last message of a chat; see {@link #chat(Chat, SamplingOptions, TextListener)}. */
    public GeneratedText chat(List<ChatMessage> messages, SamplingOptions options) {
        return chat(Chat.of(messages), options, SILENT);
    }

    /**
     * Answers the last message of a chat, in the form that the model was trained on. What was said before and is still in
     * memory is not read again.
     *
     * @param listener hears of the answer as it comes
     * @throws IllegalArgumentException if the model's template refuses the messages, or they are longer than the context
     * @throws IllegalStateException if the model is closed
     * @throws UnsupportedOperationException if it has no template, or there is no library for it
     */
    public GeneratedText chat(Chat chat, SamplingOptions options, TextListener listener) {
        return generate(ids(chat, ""), options, listener);
    }

    /**
     * As {@link #chat(Chat, SamplingOptions, TextListener)}, with what the model thought, said and wants to be called taken
     * apart. How calls look is what its template says: as of Hermes and Qwen, Llama 3, or Mistral. What is not such a call
     * stays what it says.
     *
     * @param listener hears of what the model writes as it comes, calls and all
     */
    public ChatAnswer answer(Chat chat, SamplingOptions options, TextListener listener) {
        return requireChats().read(chat, "", chat(chat, options, listener));
    }

    /**
     * As {@link #answer}, but the answer is a call of one of the chat's tools, with arguments that are valid by its schema.
     *
     * @throws IllegalArgumentException if there is no tool, a schema of one is not supported, or the options have a format
     * @throws UnsupportedOperationException if the model's template does not say how calls look
     */
    public ChatAnswer call(Chat chat, SamplingOptions options) {
        if (options.format() != null) {
            throw new IllegalArgumentException("expected options without a format for a call of a tool, got " + options.format());
        }
        ChatTools tools = requireChats();
        OutputFormat format = tools.call(chat);
        GeneratedText generated = generate(ids(chat, tools.begin()), options.withFormat(format), SILENT);
        return tools.read(chat, tools.begin(), generated);
    }

    private ChatTools requireChats() {
        requireTokenizer();
        if (chatTemplate == null) {
            throw new UnsupportedOperationException("the model " + path + " has no chat template");
        }
        return chatTools;
    }

    /**
     * The text that {@link #chat(Chat, SamplingOptions, TextListener)} gives the model. Special tokens that users and tools
     * spell out are text there.
     */
    public String prompt(Chat chat) {
        requireChats();
        return chatTemplate.render(chat);
    }

    /** Goes on with token ids, as they are; see {@link #generate(int[], SamplingOptions, TextListener)}. */
    public GeneratedText generate(int[] promptIds, SamplingOptions options) {
        return generate(promptIds, options, SILENT);
    }

    /** Goes on with token ids, as they are; see {@link #generate(String, SamplingOptions, TextListener)}. */
    public GeneratedText generate(int[] promptIds, SamplingOptions options, TextListener listener) {
        Objects.requireNonNull(listener, "listener");
        requirePrompt(promptIds);
        options.logitBias().keySet().forEach(id -> requireId("logit_bias", id));
        TokenDecoder decoder = tokenizer == null ? null : tokenizer.decoder(false);
        var work = new GeneratorSession.Work(options, sampling(options), decoder,
                tokenizer == null ? 0 : tokenizer.vocabularySize(), ends, constraint(options), listener);
        owner.enter();
        try {
            return sessions.get(session -> session.generate(promptIds, work));
        } finally {
            owner.exit();
        }
    }

    private Constraint constraint(SamplingOptions options) {
        if (options.format() == null) {
            return null;
        }
        requireTokenizer();
        return formats.constraint(options.format(), options.format().compiled(), Math.min(options.maxTokens(), context()));
    }

    private static Sampling sampling(SamplingOptions options) {
        return new Sampling(options.temperature(), options.topK(), options.topP(), options.minP(), options.typicalP(),
                options.repetitionPenalty(), options.presencePenalty(), options.frequencyPenalty(),
                options.logitBias().entrySet().stream().sorted(Map.Entry.comparingByKey())
                        .map(entry -> new Sampling.Bias(entry.getKey(), entry.getValue())).toArray(Sampling.Bias[]::new),
                options.seed(), options.logProbabilities());
    }

    /**
     * What each token of a prompt attends to; it is read as by {@link #generate(String, SamplingOptions)}. Takes memory for
     * as many weights as the square of the tokens, for each head.
     *
     * @throws IllegalArgumentException if the prompt has no tokens, or more than the context
     */
    public AttentionPattern explain(String prompt) {
        int[] ids = ids(prompt);
        return explain(ids, IntStream.of(ids).mapToObj(this::token).toList());
    }

    /** What each of some token ids attends to; see {@link #explain(String)}. */
    public AttentionPattern explain(int[] promptIds) {
        return explain(promptIds, IntStream.of(promptIds).mapToObj(Integer::toString).toList());
    }

    private AttentionPattern explain(int[] ids, List<String> tokens) {
        requirePrompt(ids);
        owner.enter();
        try (CacheSet cache = CacheSet.create(engine, caches.specs(), 1, ids.length, options.cache());
                Session session = plan.newExplainingSession(ids.length, List.of(cache))) {
            session.run(1, MemorySegment.ofArray(ids), MemorySegment.ofArray(new int[] {0, ids.length}));
            return AttentionPattern.copyOf(tokens, tokens, session.patterns());
        } finally {
            owner.exit();
        }
    }

    /** The text of a token, a special one as it is spelled; bytes that are no characters become U+FFFD. */
    public String token(int id) {
        byte[] bytes = requireTokenizer().decoder(true).bytes(id);
        return bytes.length > 0 ? new String(bytes, StandardCharsets.UTF_8) : tokenizer.text(id);
    }

    private int[] ids(Chat chat, String more) {
        requireChats();
        var texts = new UserTexts(tokenizer);
        return texts.encode(chatTemplate.render(texts.marked(chat)) + more);
    }

    private int[] ids(String prompt) {
        Objects.requireNonNull(prompt, "prompt");
        int[] text = requireTokenizer().encode(prompt);
        return IntStream.concat(IntStream.of(tokenizer.prefix()), IntStream.of(text)).toArray();
    }

    private GeneratorSession newSession() {
        CacheSet cache = CacheSet.create(engine, caches.specs(), 1, context(), options.cache());
        try {
            float softcap = ((Head.NextToken) description.head()).softcap();
            return new GeneratorSession(plan.newSession(Math.min(GeneratorSession.CHUNK, context()), List.of(cache)), cache,
                    new Sampler(vocabulary(), softcap));
        } catch (Throwable e) {
            cache.close();
            throw e;
        }
    }

    /** The tokenizer; it is closed with the model. */
    Tokenizer requireTokenizer() {
        if (tokenizer == null) {
            throw new UnsupportedOperationException("the model " + path + " reads token ids alone, not texts: "
                    + tokenizerProblem.getMessage(), tokenizerProblem);
        }
        return tokenizer;
    }

    private void requirePrompt(int[] ids) {
        if (ids.length < 1 || ids.length > context()) {
            throw new IllegalArgumentException("expected a prompt of 1 to " + context() + " tokens, the context of the model, got "
                    + ids.length);
        }
        for (int id : ids) {
            requireId("ids of a prompt", id);
        }
    }

    private void requireId(String name, int id) {
        if (id < 0 || id >= vocabulary()) {
            throw new IllegalArgumentException(name + " must be below the vocabulary " + vocabulary()
                    + " and not negative, got " + id);
        }
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }
}
