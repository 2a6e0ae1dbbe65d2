package dev.fovea.langchain4j;

import dev.fovea.model.TextGenerator;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;

/**
 * Answers by a {@link TextGenerator}, in process. Safe to share between threads; a call computes on the thread that calls.
 *
 * <pre>{@code
 * ChatModel model = FoveaChatModel.builder().model(Path.of("Qwen3-0.6B")).build();
 * String answer = model.chat("What is the capital of Germany?");
 * }</pre>
 *
 * <p>Chat templates need {@code com.hubspot.jinjava:jinjava} on the class path. Images are refused with an
 * {@link dev.langchain4j.exception.UnsupportedFeatureException}.
 *
 * <p>Answers call tools in the way of the model's template. What a model thinks first is no part of an answer's text: it is left
 * out, or with {@code returnThinking} beside it. Where a request has tools and a JSON format, an answer has the form or is a
 * call.
 */
public final class FoveaChatModel extends LoadedChatModel implements ChatModel {
    private FoveaChatModel(ChatBuilder.Loaded loaded) {
        super(loaded);
    }

    /** A builder. */
    public static Builder builder() {
        return new Builder();
    }

    @Override
    public ChatResponse doChat(ChatRequest request) {
        return loaded.work().answer(request, (_, _, _) -> true);
    }

    /** Cancelling the future ends the answer at its next token. */
    @Override
    public CompletableFuture<ChatResponse> doChatAsync(ChatRequest request) {
        var result = new CompletableFuture<ChatResponse>();
        loaded.executor().execute(() -> {
            try {
                result.complete(loaded.work().answer(request, (_, _, _) -> !result.isDone()));
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    /** What the model is made of. */
    public static final class Builder extends ChatBuilder<Builder> {
        private Builder() {}

        @Override
        Builder self() {
            return this;
        }

        /**
         * Loads the model.
         *
         * @throws IllegalArgumentException if there is neither a path nor a generator
         * @throws UncheckedIOException if it cannot be loaded; the message says why
         */
        public FoveaChatModel build() {
            return new FoveaChatModel(load());
        }
    }
}
