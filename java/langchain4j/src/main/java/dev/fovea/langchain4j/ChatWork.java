package dev.fovea.langchain4j;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatListener;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.Json;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.request.ToolChoice;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;

/** A request of LangChain4j as Fovea answers it. */
final class ChatWork {
    private final TextGenerator generator;
    private final String modelName;
    private final boolean returnsThinking;
    private final boolean hasStrictTools;

    /**
     * Requests for a model.
     *
     * @param returnsThinking whether responses have what the model thought
     * @param hasStrictTools whether calls are valid by their schemas
     */
    ChatWork(TextGenerator generator, String modelName, boolean returnsThinking, boolean hasStrictTools) {
        this.generator = generator;
        this.modelName = modelName;
        this.returnsThinking = returnsThinking;
        this.hasStrictTools = hasStrictTools;
    }

    boolean returnsThinking() {
        return returnsThinking;
    }

    /**
     * Answers on the thread that calls.
     *
     * @param listener hears of the answer as it comes, and says whether it goes on
     * @throws UnsupportedFeatureException if the request has something that is not supported; the message names it
     */
    ChatResponse answer(ChatRequest request, ChatListener listener) {
        ChatRequestParameters parameters = request.parameters();
        require(parameters, modelName);
        Chat chat = chat(request);
        SamplingOptions options = sampling(parameters);
        OutputFormat format = format(parameters.responseFormat());
        return response(parameters.toolChoice() == ToolChoice.REQUIRED ? generator.call(chat, options, listener)
                : generator.answer(chat, options.withFormat(format), listener));
    }

    private Chat chat(ChatRequest request) {
        ChatRequestParameters parameters = request.parameters();
        Chat chat = Chat.of(request.messages().stream().map(Messages::of).toList());
        if (parameters.toolChoice() != ToolChoice.NONE) {
            chat = chat.withTools(parameters.toolSpecifications().stream().map(tool -> Messages.tool(tool, hasStrictTools)).toList());
        }
        return parameters instanceof FoveaChatRequestParameters own && own.templateVariables() != null
                ? chat.withVariables(own.templateVariables()) : chat;
    }

    private static OutputFormat format(ResponseFormat format) {
        if (format == null || format.type() != ResponseFormatType.JSON) {
            return null;
        }
        return format.jsonSchema() == null ? OutputFormat.json()
                : OutputFormat.jsonSchema(Json.toJson(JsonSchemaElementUtils.toMap(format.jsonSchema().rootElement())));
    }

    /** Fails if the parameters have something that is not supported. */
    static void require(ChatRequestParameters parameters, String modelName) {
        if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
            throw Messages.notSupported("the modelName '" + parameters.modelName() + "'; this is the model " + modelName);
        }
        if (parameters.toolChoice() == ToolChoice.REQUIRED && format(parameters.responseFormat()) != null) {
            throw Messages.notSupported("ToolChoice.REQUIRED with the JSON response format");
        }
    }

    private static SamplingOptions sampling(ChatRequestParameters parameters) {
        SamplingOptions options = SamplingOptions.greedy();
        if (parameters.maxOutputTokens() != null) {
            options = options.withMaxTokens(parameters.maxOutputTokens());
        }
        if (parameters.temperature() != null) {
            options = options.withTemperature(parameters.temperature().floatValue());
        }
        if (parameters.topK() != null) {
            options = options.withTopK(parameters.topK());
        }
        if (parameters.topP() != null) {
            options = options.withTopP(parameters.topP().floatValue());
        }
        FoveaChatRequestParameters own = parameters instanceof FoveaChatRequestParameters some ? some : null;
        if (own != null && own.minP() != null) {
            options = options.withMinP(own.minP().floatValue());
        }
        return options
                .withPenalties(own == null ? 1 : orElse(own.repetitionPenalty(), 1), orElse(parameters.presencePenalty(), 0),
                        orElse(parameters.frequencyPenalty(), 0))
                .withStops(parameters.stopSequences().toArray(String[]::new))
                .withSeed(own != null && own.seed() != null ? own.seed() : ThreadLocalRandom.current().nextLong());
    }

    private static float orElse(Double value, float other) {
        return value == null ? other : value.floatValue();
    }

    private ChatResponse response(ChatAnswer answer) {
        GeneratedText generated = answer.generated();
        return ChatResponse.builder()
                .aiMessage(Messages.of(answer, returnsThinking))
                .id(UUID.randomUUID().toString())
                .modelName(modelName)
                .tokenUsage(new TokenUsage(generated.promptTokens(), generated.tokens().length))
                .finishReason(!answer.toolCalls().isEmpty() ? FinishReason.TOOL_EXECUTION : switch (generated.finish()) {
                    case END, STOP -> FinishReason.STOP;
                    case LENGTH, CONTEXT -> FinishReason.LENGTH;
                    case CANCELLED, TIMEOUT -> FinishReason.OTHER;
                })
                .build();
    }
}
