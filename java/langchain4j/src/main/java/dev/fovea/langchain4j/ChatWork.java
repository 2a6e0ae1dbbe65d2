package dev.fovea.langchain4j;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.SamplingOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.TextListener;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.output.FinishReason;
import dev.langchain4j.model.output.TokenUsage;
import java.util.Locale;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.Collectors;

/** A request of LangChain4j as Fovea answers it. */
final class ChatWork {
    private final TextGenerator generator;
    private final String modelName;

    ChatWork(TextGenerator generator, String modelName) {
        this.generator = generator;
        this.modelName = modelName;
    }

    /**
     * Answers on the thread that calls.
     *
     * @throws UnsupportedFeatureException if the request has something that is not supported; the message names it
     */
    ChatResponse answer(ChatRequest request, TextListener listener) {
        require(request.parameters(), modelName);
        Chat chat = Chat.of(request.messages().stream().map(ChatWork::message).toList());
        if (request.parameters() instanceof FoveaChatRequestParameters own && own.templateVariables() != null) {
            chat = chat.withVariables(own.templateVariables());
        }
        return response(generator.chat(chat, sampling(request.parameters()), listener));
    }

    /** Fails if the parameters have something that is not supported. */
    static void require(ChatRequestParameters parameters, String modelName) {
        if (parameters.modelName() != null && !parameters.modelName().equals(modelName)) {
            throw notSupported("the modelName '" + parameters.modelName() + "'; this is the model " + modelName);
        }
        if (!parameters.toolSpecifications().isEmpty() || parameters.toolChoice() != null) {
            throw notSupported("tools" + (parameters.toolChoice() == null ? "" : " and ToolChoice." + parameters.toolChoice()));
        }
        if (parameters.responseFormat() != null && parameters.responseFormat().type() == ResponseFormatType.JSON) {
            throw notSupported("the JSON response format");
        }
    }

    private static UnsupportedFeatureException notSupported(String what) {
        return new UnsupportedFeatureException("not supported: " + what);
    }

    private static ChatMessage message(dev.langchain4j.data.message.ChatMessage message) {
        return switch (message) {
            case SystemMessage system -> ChatMessage.system(system.text());
            case UserMessage user -> ChatMessage.user(user.contents().stream().map(ChatWork::text)
                    .collect(Collectors.joining("\n")));
            case AiMessage answer when !answer.hasToolExecutionRequests() -> ChatMessage.assistant(answer.text());
            default -> throw notSupported("a message of the type " + message.type() + (message instanceof AiMessage
                    ? " with calls of tools" : ""));
        };
    }

    private static String text(Content content) {
        if (content instanceof TextContent text) {
            return text.text();
        }
        throw notSupported("content of the type " + content.type().name().toLowerCase(Locale.ROOT));
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

    private ChatResponse response(GeneratedText answer) {
        return ChatResponse.builder()
                .aiMessage(AiMessage.from(answer.text()))
                .id(UUID.randomUUID().toString())
                .modelName(modelName)
                .tokenUsage(new TokenUsage(answer.promptTokens(), answer.tokens().length))
                .finishReason(switch (answer.finish()) {
                    case END, STOP -> FinishReason.STOP;
                    case LENGTH, CONTEXT -> FinishReason.LENGTH;
                    case CANCELLED, TIMEOUT -> FinishReason.OTHER;
                })
                .build();
    }
}
