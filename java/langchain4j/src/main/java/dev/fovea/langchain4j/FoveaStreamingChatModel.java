package dev.fovea.langchain4j;

import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.TextGenerator;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.CompleteToolCall;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.PartialThinking;
import dev.langchain4j.model.chat.response.PartialThinkingContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import dev.langchain4j.model.chat.response.StreamingHandle;
import java.io.UncheckedIOException;
import java.util.List;

/**
 * Answers by a {@link TextGenerator}, as they are written; see {@link FoveaChatModel}. A call returns at once, and one thread
 * of the executor writes the answer and calls the handler. Cancelling ends it at the next token, and nothing is told
 * any more.
 *
 * <p>Calls of tools are told when the answer is complete. Where a request has tools, text that may be the begin of a call is kept
 * until that is certain.
 *
 * <p>What a handler throws goes to its {@code onError}, and the answer goes on.
 */
public final class FoveaStreamingChatModel extends LoadedChatModel implements StreamingChatModel {
    private FoveaStreamingChatModel(ChatBuilder.Loaded loaded) {
        super(loaded);
    }

    /** A builder. */
    public static Builder builder() {
        return new Builder();
    }

    private static final class Handle implements StreamingHandle {
        private volatile boolean cancelled;

        @Override
        public void cancel() {
            cancelled = true;
        }

        @Override
        public boolean isCancelled() {
            return cancelled;
        }
    }

    @Override
    public void doChat(ChatRequest request, StreamingChatResponseHandler handler) {
        ChatWork.require(request.parameters(), loaded.parameters().modelName());
        loaded.executor().execute(() -> {
            var handle = new Handle();
            ChatResponse response;
            try {
                response = loaded.work().answer(request, (part, text, _) -> {
                    tell(handle, handler, part, text);
                    return !handle.cancelled;
                });
            } catch (Throwable e) {
                tell(handler, e);
                return;
            }
            List<ToolExecutionRequest> calls = response.aiMessage().toolExecutionRequests();
            for (int i = 0; i < calls.size(); i++) {
                var call = new CompleteToolCall(i, calls.get(i));
                tell(handle, handler, () -> handler.onCompleteToolCall(call));
            }
            tell(handle, handler, () -> handler.onCompleteResponse(response));
        });
    }

    private void tell(Handle handle, StreamingChatResponseHandler handler, Part part, CharSequence text) {
        if (text.isEmpty()) {
            return;
        }
        if (part == Part.CONTENT) {
            var response = new PartialResponse(text.toString());
            tell(handle, handler, () -> handler.onPartialResponse(response, new PartialResponseContext(handle)));
        } else if (loaded.work().returnsThinking()) {
            var thinking = new PartialThinking(text.toString());
            tell(handle, handler, () -> handler.onPartialThinking(thinking, new PartialThinkingContext(handle)));
        }
    }

    private static void tell(Handle handle, StreamingChatResponseHandler handler, Runnable call) {
        try {
            if (!handle.cancelled) {
                call.run();
            }
        } catch (Exception e) {
            tell(handler, e);
        }
    }

    private static void tell(StreamingChatResponseHandler handler, Throwable error) {
        try {
            handler.onError(error);
        } catch (Exception e) {
            System.getLogger("dev.fovea").log(System.Logger.Level.WARNING, "a handler of answers failed in onError", e);
        }
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
        public FoveaStreamingChatModel build() {
            return new FoveaStreamingChatModel(load());
        }
    }
}
