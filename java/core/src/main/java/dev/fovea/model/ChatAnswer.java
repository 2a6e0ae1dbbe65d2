package dev.fovea.model;

import java.util.List;

/**
 * What a model answered in a chat, taken apart.
 *
 * @param content what it says
 * @param reasoning what it thought before, between {@code <think>} and {@code </think>}, for models that do that; empty if there
 *     is nothing
 * @param toolCalls the tools that it wants to be called; empty if there are none
 * @param generated what it wrote, as it wrote it
 */
public record ChatAnswer(String content, String reasoning, List<ToolCall> toolCalls, GeneratedText generated) {
    /** Copies the calls. */
    public ChatAnswer {
        toolCalls = List.copyOf(toolCalls);
    }

    /** The message with which a chat goes on. What tools answer comes behind it: {@link ChatMessage#tool(ToolCall, String)}. */
    public ChatMessage message() {
        ChatMessage message = ChatMessage.assistant(content);
        if (!reasoning.isEmpty()) {
            message = message.with("reasoning_content", reasoning);
        }
        return toolCalls.isEmpty() ? message : message.with("tool_calls", toolCalls.stream().map(ToolCall::plain).toList());
    }
}
