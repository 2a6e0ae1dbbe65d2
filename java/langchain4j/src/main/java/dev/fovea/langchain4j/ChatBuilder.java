package dev.fovea.langchain4j;

import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.TextGenerator;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.DefaultChatRequestParameters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Executor;

/**
 * What both kinds of chat models are made of.
 *
 * @param <B> the builder itself
 */
public abstract sealed class ChatBuilder<B> permits FoveaChatModel.Builder, FoveaStreamingChatModel.Builder {
    private Path model;
    private GeneratorOptions options = GeneratorOptions.defaults();
    private TextGenerator generator;
    private String modelName;
    private ChatRequestParameters parameters = DefaultChatRequestParameters.EMPTY;
    private boolean returnThinking;
    private boolean strictTools;
    private List<ChatModelListener> listeners = List.of();
    private Executor executor = work -> Thread.ofPlatform().daemon().name("fovea-chat").start(work);

    ChatBuilder() {}

    abstract B self();

    /** A directory or a {@code .gguf} file, as {@link TextGenerator#load(Path, GeneratorOptions)} takes it. */
    public B model(Path path) {
        this.model = Objects.requireNonNull(path, "path");
        return self();
    }

    /** How it is loaded. */
    public B options(GeneratorOptions options) {
        this.options = Objects.requireNonNull(options, "options");
        return self();
    }

    /** A model that is loaded already and stays the caller's; {@code modelName} is what it is called. */
    public B generator(TextGenerator generator, String modelName) {
        this.generator = Objects.requireNonNull(generator, "generator");
        this.modelName = Objects.requireNonNull(modelName, "modelName");
        return self();
    }

    /**
     * What holds where a request says nothing else, such as a {@link FoveaChatRequestParameters}. Without it: the likeliest
     * tokens, at most 256.
     */
    public B defaultRequestParameters(ChatRequestParameters parameters) {
        this.parameters = Objects.requireNonNull(parameters, "parameters");
        return self();
    }

    /**
     * Whether responses have what the model thought, as {@link dev.langchain4j.data.message.AiMessage#thinking()}, and streams tell
     * it as it comes. Without, thoughts are left out; not so that the model would not think: for that, templates have variables,
     * such as {@code enable_thinking}. What a message of a request has as thinking goes to the model's template in any case.
     */
    public B returnThinking(boolean returnThinking) {
        this.returnThinking = returnThinking;
        return self();
    }

    /**
     * Whether calls of tools are valid by their schemas, whatever the model would write: once it begins a call, it has no other
     * choice. A tool whose schema has a keyword that is not supported is refused then. With Llama 3, whatever begins with a
     * brace is a call.
     */
    public B strictTools(boolean strictTools) {
        this.strictTools = strictTools;
        return self();
    }

    /** Who hears of requests, responses and errors. */
    public B listeners(List<ChatModelListener> listeners) {
        this.listeners = List.copyOf(listeners);
        return self();
    }

    /** What answers are written on that nobody blocks for; by default a thread for each. */
    public B executor(Executor executor) {
        this.executor = Objects.requireNonNull(executor, "executor");
        return self();
    }

    /** A model that is there to be used by a chat model, and closed by it if it has loaded it. */
    record Loaded(TextGenerator generator, boolean owned, ChatWork work, ChatRequestParameters parameters,
            List<ChatModelListener> listeners, Executor executor) {
        void close() {
            if (owned) {
                generator.close();
            }
        }
    }

    Loaded load() {
        if (generator == null && model == null) {
            throw new IllegalArgumentException("expected the path of a language model, or a generator, got neither");
        }
        String name = generator != null ? modelName : String.valueOf(model.toAbsolutePath().normalize().getFileName());
        ChatWork.require(parameters, name);
        ChatRequestParameters named = DefaultChatRequestParameters.builder().modelName(name).build();
        TextGenerator loaded = generator;
        try {
            loaded = loaded != null ? loaded : TextGenerator.load(model, options);
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        var work = new ChatWork(loaded, name, returnThinking, strictTools);
        return new Loaded(loaded, generator == null, work, named.overrideWith(parameters), listeners, executor);
    }
}
