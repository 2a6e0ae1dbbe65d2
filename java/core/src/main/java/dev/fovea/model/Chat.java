package dev.fovea.model;

import java.util.List;
import java.util.Map;

/**
 * What a model is asked in a chat. Immutable; each {@code with…} gives a copy.
 *
 * @param messages that were said, in their order
 * @param tools that the model may call, each as a JSON schema in maps and lists: {@code {"type": "function", "function":
 *     {"name": …, "description": …, "parameters": …}}}; {@code "strict": true} beside the name keeps all calls of it to the schema
 * @param variables of the model's template besides, such as {@code enable_thinking} of Qwen 3
 */
public record Chat(List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, Object> variables) {
    /** Checks that there are messages. */
    public Chat {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        variables = Map.copyOf(variables);
        if (messages.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 message of a chat, got 0");
        }
    }

    /** Messages alone. */
    public static Chat of(List<ChatMessage> messages) {
        return new Chat(messages, List.of(), Map.of());
    }

    /** A copy with tools. */
    public Chat withTools(List<Map<String, Object>> tools) {
        return new Chat(messages, tools, variables);
    }

    /** A copy with variables of the template. */
    public Chat withVariables(Map<String, Object> variables) {
        return new Chat(messages, tools, variables);
    }
}
