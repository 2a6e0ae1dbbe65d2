package dev.fovea.langchain4j;

import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.ToolCall;
import dev.langchain4j.agent.tool.ToolExecutionRequest;
import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.Content;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.TextContent;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.exception.UnsupportedFeatureException;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** Messages and tools of LangChain4j as templates of chats take them. */
final class Messages {
    private Messages() {}

    /**
     * A message.
     *
     * @throws UnsupportedFeatureException if it has what is not text
     * @throws IllegalArgumentException if the arguments of a call are no object in JSON
     */
    static ChatMessage of(dev.langchain4j.data.message.ChatMessage message) {
        return switch (message) {
            case SystemMessage system -> ChatMessage.system(system.text());
            case UserMessage user -> ChatMessage.user(texts(user.contents()));
            case AiMessage answer -> answer(answer);
            case ToolExecutionResultMessage result -> ChatMessage.tool(new ToolCall(orEmpty(result.id()),
                    orEmpty(result.toolName()), "{}"), texts(result.contents()));
            default -> throw notSupported("a message of the type " + message.type());
        };
    }

    private static ChatMessage answer(AiMessage answer) {
        List<ToolCall> calls = answer.toolExecutionRequests().stream().map(Messages::call).toList();
        return new ChatAnswer(orEmpty(answer.text()), orEmpty(answer.thinking()), calls, null).message();
    }

    private static ToolCall call(ToolExecutionRequest request) {
        String arguments = request.arguments() == null || request.arguments().isBlank() ? "{}" : request.arguments();
        var call = new ToolCall(orEmpty(request.id()), request.name(), arguments);
        try {
            call.values();
        } catch (RuntimeException e) {
            throw new IllegalArgumentException("expected an object in JSON as arguments of the tool " + request.name() + ", got "
                    + arguments, e);
        }
        return call;
    }

    private static String texts(List<Content> contents) {
        return contents.stream().map(Messages::text).collect(Collectors.joining("\n"));
    }

    private static String text(Content content) {
        if (content instanceof TextContent text) {
            return text.text();
        }
        throw notSupported("content of the type " + content.type().name().toLowerCase(Locale.ROOT));
    }

    /** A tool as a JSON schema in maps. */
    static Map<String, Object> tool(ToolSpecification tool, boolean isStrict) {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", tool.name());
        if (isStrict) {
            function.put("strict", true);
        }
        if (tool.description() != null) {
            function.put("description", tool.description());
        }
        function.put("parameters", tool.parameters() == null ? Map.of("type", "object", "properties", Map.of())
                : JsonSchemaElementUtils.toMap(tool.parameters()));
        Map<String, Object> schema = new LinkedHashMap<>();
        schema.put("type", "function");
        schema.put("function", function);
        return schema;
    }

    /** An answer of the model, perhaps with what it thought. */
    static AiMessage of(ChatAnswer answer, boolean withThinking) {
        boolean silent = answer.content().isEmpty() && !answer.toolCalls().isEmpty();
        return AiMessage.builder()
                .text(silent ? null : answer.content())
                .thinking(!withThinking || answer.reasoning().isEmpty() ? null : answer.reasoning())
                .toolExecutionRequests(answer.toolCalls().stream().map(call -> ToolExecutionRequest.builder().id(call.id())
                        .name(call.name()).arguments(call.arguments()).build()).toList())
                .build();
    }

    static UnsupportedFeatureException notSupported(String what) {
        return new UnsupportedFeatureException("not supported: " + what);
    }

    private static String orEmpty(String text) {
        return text == null ? "" : text;
    }
}
