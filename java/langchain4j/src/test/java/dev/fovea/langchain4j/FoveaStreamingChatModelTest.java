package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.langchain4j.model.chat.StreamingChatModel;
import dev.langchain4j.model.chat.common.AbstractStreamingChatModelIT;
import dev.langchain4j.model.chat.listener.ChatModelListener;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.chat.response.PartialResponse;
import dev.langchain4j.model.chat.response.PartialResponseContext;
import dev.langchain4j.model.chat.response.StreamingChatResponseHandler;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;
import org.mockito.InOrder;

/** LangChain4j's own suite for streaming chat models; what is off is so for the reasons of {@link FoveaChatModelTest}. */
class FoveaStreamingChatModelTest extends AbstractStreamingChatModelIT {
    private static FoveaStreamingChatModel.Builder builder() {
        return FoveaStreamingChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME);
    }

    @Override
    protected List<StreamingChatModel> models() {
        return List.of(builder().build());
    }

    @Override
    public StreamingChatModel createModelWith(ChatModelListener listener) {
        return builder().listeners(List.of(listener)).build();
    }

    @Override
    protected StreamingChatModel createModelWith(ChatRequestParameters parameters) {
        return builder().defaultRequestParameters(parameters).build();
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return FoveaChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
    }

    @Override
    protected boolean supportsStreamingCancellation() {
        return Boolean.getBoolean("fovea.soak.cancel"); // the suite waits for 30 s
    }

    @Test
    void shouldTellNothingMoreOnceItIsCancelled() throws Exception {
        List<Object> told = new CopyOnWriteArrayList<>();
        try (var executor = Executors.newSingleThreadExecutor()) {
            builder().executor(executor).build().chat("What is the capital of Germany?", new StreamingChatResponseHandler() {
                @Override
                public void onPartialResponse(PartialResponse part, PartialResponseContext context) {
                    told.add(part.text());
                    context.streamingHandle().cancel();
                }

                @Override
                public void onCompleteResponse(ChatResponse response) {
                    told.add(response);
                }

                @Override
                public void onError(Throwable error) {
                    told.add(error);
                }
            });
        } // the answer has ended
        assertEquals(List.of("Hello"), told);
    }

    @Override
    protected boolean supportsPartialToolStreaming(StreamingChatModel model) {
        return false; // calls are told when they are complete
    }

    @Override
    protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder inOrder, String id) {
        inOrder.verify(handler).onCompleteToolCall(complete(0, id, "getWeather", "{\"city\":\"Munich\"}"));
    }

    @Override
    protected void verifyToolCallbacks(StreamingChatResponseHandler handler, InOrder inOrder, String first, String second) {
        verifyToolCallbacks(handler, inOrder, first);
        inOrder.verify(handler).onCompleteToolCall(complete(1, second, "getTime", "{\"country\":\"France\"}"));
    }

    @Override
    protected boolean supportsModelNameParameter() {
        return false;
    }

    @Override
    protected boolean supportsMultipleImageInputsAsBase64EncodedStrings() {
        return false;
    }

    @Override
    protected boolean supportsMultipleImageInputsAsPublicURLs() {
        return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsBase64EncodedString() {
        return false;
    }

    @Override
    protected boolean supportsSingleImageInputAsPublicURL() {
        return false;
    }
}
