package dev.fovea.model;

import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.generation.SchedulerOptions;
import dev.fovea.text.Tokenizer;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;
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
 * <p>A model with an encoder, such as T5, reads the prompt by that and writes an answer that does not begin with it.
 *
 * <p>Safe to share between threads: answers that are asked for at once are written at once, in the threads of those who wait
 * for them. The same prompt, options and seed give the same text, whoever else generates and with any number of threads. A
 * call ends when its thread is interrupted, with what is written by then.
 */
public final class TextGenerator implements AutoCloseable {
    private static final ChatListener UNHEARD = (_, _, _) -> true;

    private final Path path;
    private final AnswerModel model;
    private final PromptTokenizer reader;
    /** Null where there is none. */
    private final ChatTools chatTools;
    private final AnswerWriter answers;
    private final Owner owner;

    private TextGenerator(Path path, GeneratorOptions options, SchedulerOptions scheduling, Owner owner) throws IOException {
        this.path = path;
        this.owner = owner;
        var engine = new StartingEngine(owner, options.engine(), options.engineOptions());
        GeneratorSource source = GeneratorSource.of(path);
        Weights weights = owner.own(source.openWeights());
        // The tokenizer on another thread, while this one reads the rest.
        Loading<Tokenizer> tokens = owner.own(new Loading<>("tokenizer", source::openTokenizer));
        model = source.hasEncoder() ? new SourceModel(source.encoderDecoder(), weights, options, engine, owner)
                : new GeneratorModel(source, weights, options, scheduling, engine, owner);
        reader = PromptTokenizer.of(path, tokens);
        Tokenizer tokenizer = reader.tokenizer();
        ChatTemplate template = reader.isThere() ? source.chatTemplate(tokenizer) : null;
        chatTools = template == null ? null : new ChatTools(tokenizer, template);
        int[] ends = IntStream.concat(source.ends().stream().mapToInt(Integer::intValue),
                reader.isThere() ? IntStream.of(tokenizer.endIds()) : IntStream.empty()).distinct().toArray();
        answers = new AnswerWriter(name(), model, tokenizer, ends);
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
        return load(path, options, new SchedulerOptions(options.queue(), SchedulerOptions.CHUNK, SchedulerOptions.CHUNK_BESIDE, true,
                options.speculation() == null ? 0 : options.speculation().tokens()));
    }

    static TextGenerator load(Path path, GeneratorOptions options, SchedulerOptions scheduling) throws IOException {
        var watched = WatchedLoad.begin(String.valueOf(path.getFileName()), path);
        try {
            TextGenerator generator = Owner.create("generator of " + path.getFileName(),
                    owner -> new TextGenerator(path, options, scheduling, owner));
            generator.model.tell(watched);
            return generator;
        } catch (Throwable e) {
            watched.failed(e);
            throw e;
        }
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
        return reader.isThere();
    }

    /** The name of the directory or file. */
    public String name() {
        return String.valueOf(path.getFileName());
    }

    /** What it takes of memory off the Java heap now. */
    public MemoryUse memory() {
        return model.memory();
    }

    /** Such as {@code TextGenerator[Qwen3-0.6B, 4096 tokens, NATIVE engine (avx2, 4 threads)]}. */
    @Override
    public String toString() {
        return "TextGenerator[" + name() + ", " + context() + " tokens, " + model.engine() + ']';
    }

    /**
     * What makes token ids of texts, and texts of them. It is closed with the model.
     *
     * @throws UnsupportedOperationException if it has no tokenizer that is read; the message says why
     */
    public Tokenizer tokenizer() {
        return reader.require();
    }

    /** Tokens of the longest sequence, prompt and answer together; of a model with an encoder, of each of both. */
    public int context() {
        return model.context();
    }

    /** Token ids are below it. */
    public int vocabulary() {
        return model.vocabulary();
    }

    /** Goes on with a text; see {@link #generate(String, SamplingOptions, TextListener)}. */
    public GeneratedText generate(String prompt, SamplingOptions options) {
        return generate(prompt, options, AnswerWriter.SILENT);
    }

    /**
     * Goes on with a text. It is read as the tokenizer reads texts for models, with the token that begins a text, if the
     * model has one.
     *
     * @param listener hears of the text as it comes
     * @throws IllegalArgumentException if the prompt has no tokens, or more than the context; or an answer cannot be of the
     *     format, as there are too many ways to read what is written, or biases leave it no token
     * @throws ArithmeticException if logits are not finite
     * @throws IllegalStateException if the model is closed
     * @throws java.util.concurrent.RejectedExecutionException if the {@linkplain GeneratorOptions#queue() queue} is full
     * @throws UnsupportedOperationException if it has no tokenizer that is read; the message says why
     */
    public GeneratedText generate(String prompt, SamplingOptions options, TextListener listener) {
        return generate(prompt, options, RequestOptions.defaults(), listener);
    }

    /** As {@link #generate(String, SamplingOptions, TextListener)}, with a priority or a limit of time. */
    public GeneratedText generate(String prompt, SamplingOptions options, RequestOptions request, TextListener listener) {
        Objects.requireNonNull(prompt, "prompt");
        return generate(encode(prompt, true), options, request, listener);
    }

    /** The ids of a text, behind the token that begins one if it does. A source also has an end; what goes on has none. */
    int[] encode(String text, boolean begins) {
        return reader.encode(text, begins, model instanceof SourceModel);
    }

    /** Answers the last message of a chat; see {@link #chat(Chat, SamplingOptions, TextListener)}. */
    public GeneratedText chat(List<ChatMessage> messages, SamplingOptions options) {
        return chat(Chat.of(messages), options, AnswerWriter.SILENT);
    }

    /**
     * Answers the last message of a chat, in the form that the model was trained on. What was said before and is still in
     * memory is not read again. If the options have a format, a model whose template has {@code <think>} may think first, unless
     * the template ends its thoughts, as with {@code enable_thinking} false; the format holds for what is behind {@code </think>}.
     * This tells and gives all that the model writes, thoughts and calls of tools among it; {@link #answer} takes these apart.
     *
     * @param listener hears of the answer as it comes
     * @throws IllegalArgumentException if the model's template refuses the messages, or they are longer than the context
     * @throws IllegalStateException if the model is closed
     * @throws java.util.concurrent.RejectedExecutionException if the {@linkplain GeneratorOptions#queue() queue} is full
     * @throws UnsupportedOperationException if it has no template, or there is no library for it
     */
    public GeneratedText chat(Chat chat, SamplingOptions options, TextListener listener) {
        return chat(chat, options, RequestOptions.defaults(), listener);
    }

    /** As {@link #chat(Chat, SamplingOptions, TextListener)}, with a priority or a limit of time. */
    public GeneratedText chat(Chat chat, SamplingOptions options, RequestOptions request, TextListener listener) {
        ExpectedAnswer free = requireChats().free(chat, options);
        return generate(free.ids(), free.options(), request, listener);
    }

    /** As {@link #answer(Chat, SamplingOptions, ChatListener)}, for who does not listen. */
    public ChatAnswer answer(Chat chat, SamplingOptions options) {
        return answer(chat, options, UNHEARD);
    }

    /**
     * As {@link #chat(Chat, SamplingOptions, TextListener)}, with what the model thought, said and wants to be called taken
     * apart. How calls look is what its template says: as of Hermes and Qwen, Llama 3, or Mistral. If the options have a JSON
     * schema as format, the answer has that form or is a call of a tool, with arguments that are valid by the tool's schema.
     *
     * @param listener hears of what the model thinks and says as it comes
     */
    public ChatAnswer answer(Chat chat, SamplingOptions options, ChatListener listener) {
        return answer(chat, options, RequestOptions.defaults(), listener);
    }

    /** As {@link #answer(Chat, SamplingOptions, ChatListener)}, with a priority or a limit of time. */
    public ChatAnswer answer(Chat chat, SamplingOptions options, RequestOptions request, ChatListener listener) {
        return answer(requireChats().freeToCall(chat, options, (ids, one) -> generate(ids, one, request, AnswerWriter.SILENT)),
                request, listener);
    }

    /** As {@link #call(Chat, SamplingOptions, ChatListener)}, for who does not listen. */
    public ChatAnswer call(Chat chat, SamplingOptions options) {
        return call(chat, options, UNHEARD);
    }

    /**
     * As {@link #answer}, but the answer is a call of one of the chat's tools, with arguments that are valid by its schema. A
     * model that thinks does so first.
     *
     * @param listener hears of what the model thinks as it comes, and of each token of the call without a text
     * @throws IllegalArgumentException if there is no tool, a schema of one is not supported, or the options have a format
     * @throws UnsupportedOperationException if the model's template does not say how calls look
     */
    public ChatAnswer call(Chat chat, SamplingOptions options, ChatListener listener) {
        return answer(requireChats().forced(chat, options), RequestOptions.defaults(), listener);
    }

    private ChatAnswer answer(ExpectedAnswer expected, RequestOptions request, ChatListener listener) {
        AnswerParts parts = chatTools.parts(expected, listener);
        TextListener heard = listener == UNHEARD ? AnswerWriter.SILENT : parts;
        return parts.complete(chatTools.read(expected, generate(expected.ids(), expected.options(), request, heard)));
    }

    private ChatTools requireChats() {
        reader.require();
        if (chatTools == null) {
            throw new UnsupportedOperationException("the model " + path + " has no chat template");
        }
        return chatTools;
    }

    /**
     * The text that {@link #chat(Chat, SamplingOptions, TextListener)} gives the model. Special tokens that users and tools
     * spell out are text there.
     */
    public String prompt(Chat chat) {
        return requireChats().prompt(chat);
    }

    /** Goes on with token ids, as they are; see {@link #generate(int[], SamplingOptions, TextListener)}. */
    public GeneratedText generate(int[] promptIds, SamplingOptions options) {
        return generate(promptIds, options, AnswerWriter.SILENT);
    }

    /** Goes on with token ids, as they are; see {@link #generate(String, SamplingOptions, TextListener)}. */
    public GeneratedText generate(int[] promptIds, SamplingOptions options, TextListener listener) {
        return generate(promptIds, options, RequestOptions.defaults(), listener);
    }

    /** Goes on with token ids, as they are, with a priority or a limit of time. */
    public GeneratedText generate(int[] promptIds, SamplingOptions options, RequestOptions request, TextListener listener) {
        Objects.requireNonNull(listener, "listener");
        answers.requirePrompt(promptIds);
        answers.requireIds(options);
        if (options.format() != null) {
            reader.require();
        }
        long arrival = WatchedCall.arrival(model.engine());
        owner.enter();
        try {
            return answers.write(promptIds, options, request, listener, arrival);
        } finally {
            owner.exit();
        }
    }

    /**
     * A text that goes on from answer to answer.
     *
     * @throws UnsupportedOperationException if the model has an encoder, whose answers do not go on
     */
    public GeneratorSession newSession() {
        owner.requireOpen();
        decoder();
        return new GeneratorSession(this, new int[0]);
    }

    /**
     * A session that was {@linkplain GeneratorSession#save saved}, with its keys and values as far as there is room. On the
     * same kind of CPU it goes on with the same bits.
     *
     * @throws dev.fovea.weights.FormatException if the file is damaged, or was saved with another model, other types of
     *     weights or of caches, or positions that are turned otherwise
     * @throws IOException if it is not readable
     * @throws IllegalStateException if the model is closed
     */
    public GeneratorSession restore(Path file) throws IOException {
        owner.enter();
        try {
            return new GeneratorSession(this, decoder().restore(file));
        } finally {
            owner.exit();
        }
    }

    void save(int[] tokens, Path file) throws IOException {
        owner.enter();
        try {
            decoder().save(tokens, file, all -> generate(all, SamplingOptions.greedy().withMaxTokens(1)));
        } finally {
            owner.exit();
        }
    }

    /** Passes over the weights so far. */
    long runs() {
        return decoder().scheduler().runs();
    }

    private GeneratorModel decoder() {
        if (model instanceof GeneratorModel decoder) {
            return decoder;
        }
        throw new UnsupportedOperationException("the model " + path + " has an encoder; sessions and patterns are of those without");
    }

    /**
     * What each token of a prompt attends to; it is read as by {@link #generate(String, SamplingOptions)}. Takes memory for
     * as many weights as the square of the tokens, for each head.
     *
     * @throws IllegalArgumentException if the prompt has no tokens, or more than the context
     * @throws UnsupportedOperationException if the model has an encoder, or no tokenizer that is read
     */
    public AttentionPattern explain(String prompt) {
        Objects.requireNonNull(prompt, "prompt");
        return explain(encode(prompt, true), this::token);
    }

    /**
     * What each token of a chat, and of an answer to it, attends to; see {@link #explain(String)}. The chat is read as by
     * {@link #chat(Chat, SamplingOptions, TextListener)}.
     *
     * @param answer what stands behind the chat; empty for nothing
     * @param maxTokens how many of the first tokens are shown at most; those behind change nothing about them
     * @throws IllegalArgumentException if the model's template refuses the messages, or the context is shorter than both
     */
    public AttentionPattern explain(Chat chat, String answer, int maxTokens) {
        return explain(IntStream.of(requireChats().ids(chat, answer)).limit(maxTokens).toArray(), this::token);
    }

    /** What each of some token ids attends to; see {@link #explain(String)}. */
    public AttentionPattern explain(int[] promptIds) {
        return explain(promptIds, Integer::toString);
    }

    private AttentionPattern explain(int[] ids, IntFunction<String> text) {
        requirePrompt(ids);
        owner.enter();
        try {
            return decoder().explain(ids, IntStream.of(ids).mapToObj(text).toList());
        } finally {
            owner.exit();
        }
    }

    /**
     * The text of a token, a special one as it is spelled; bytes that are no characters become U+FFFD. Where it depends on
     * the tokens beside it, it is as the vocabulary spells it.
     */
    public String token(int id) {
        return reader.text(id);
    }

    void requirePrompt(int[] ids) {
        answers.requirePrompt(ids);
    }

    /** Frees the model, at once or when the calls in progress are done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }
}
