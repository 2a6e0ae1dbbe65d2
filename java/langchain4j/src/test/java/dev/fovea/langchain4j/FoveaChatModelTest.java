package dev.fovea.langchain4j;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.common.AbstractChatModelIT;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * LangChain4j's own suite for chat models. Off are: another model's name, which a loaded model has not, and images, which
 * the model does not read.
 */
class FoveaChatModelTest extends AbstractChatModelIT {
    private static FoveaChatModel.Builder builder() {
        return FoveaChatModel.builder().generator(ChatModels.GENERATOR, ChatModels.NAME);
    }

    @Override
    protected List<ChatModel> models() {
        return List.of(builder().build());
    }

    @Override
    protected ChatModel createModelWith(ChatRequestParameters parameters) {
        return builder().defaultRequestParameters(parameters).build();
    }

    @Override
    protected ChatRequestParameters createIntegrationSpecificParameters(int maxOutputTokens) {
        return FoveaChatRequestParameters.builder().maxOutputTokens(maxOutputTokens).build();
    }

    @Override
    protected boolean supportsChatAsync() {
        return true;
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

    @Test
    void shouldPassParametersOnAndCountTokens() {
        ChatRequest.Builder request = ChatRequest.builder().messages(UserMessage.from("one two"), AiMessage.from("three"),
                UserMessage.from("four"));
        ChatResponse answer = builder().build().chat(request.parameters(FoveaChatRequestParameters.builder().temperature(0.5)
                .topP(0.9).topK(5).minP(0.01).presencePenalty(0.1).frequencyPenalty(0.1).repetitionPenalty(1.1).seed(7L)
                .templateVariables(Map.of("enable_thinking", false)).stopSequences(".").maxOutputTokens(50).build()).build());
        assertEquals("Hello World , green : ich liebe dich ", answer.aiMessage().text());
        assertEquals(FinishReason.STOP, answer.finishReason());
        assertEquals(5, answer.tokenUsage().inputTokenCount()); // with <assistant>
        assertEquals(9, answer.tokenUsage().outputTokenCount());
        assertThrows(IllegalArgumentException.class, () -> builder().build().chat(request.parameters(
                ChatRequestParameters.builder().topP(2.0).build()).build()));
    }

    @Test
    void shouldPreferWhatARequestSaysAndKeepTheRest() {
        var defaults = FoveaChatRequestParameters.builder().seed(1L).minP(0.1).temperature(0.5).build();
        var plain = ChatRequestParameters.builder().temperature(0.7).build();
        assertEquals(FoveaChatRequestParameters.builder().seed(1L).minP(0.1).temperature(0.7).build(), defaults.overrideWith(plain));
        var own = FoveaChatRequestParameters.builder().seed(2L).build();
        assertEquals(FoveaChatRequestParameters.builder().seed(2L).minP(0.1).temperature(0.5).build(), defaults.overrideWith(own));
        assertEquals(FoveaChatRequestParameters.builder().seed(2L).temperature(0.7).build(), plain.overrideWith(own));
    }

    @Test
    void shouldEndAnAnswerThatNobodyWaitsForAnyMore() {
        ChatModel model = builder().build();
        // An answer may be there before anybody can cancel it.
        assertTrue(IntStream.range(0, 100).anyMatch(_ -> {
            CompletableFuture<ChatResponse> answer = model.chatAsync(List.of(UserMessage.from("w")));
            return answer.cancel(true) && answer.isCancelled();
        }));
    }
}
