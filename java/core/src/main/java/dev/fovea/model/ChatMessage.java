package dev.fovea.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * A message of a chat. Immutable.
 *
 * @param role who speaks: {@code system}, {@code user}, {@code assistant} or {@code tool}
 * @param content what is said
 * @param more fields that templates know besides, such as {@code tool_calls}, {@code tool_call_id} or {@code
 *     reasoning_content}: texts, numbers, truth values, and maps and lists of these
 */
public record ChatMessage(String role, String content, Map<String, Object> more) {
    /** Checks that both are there, and copies the rest. */
    public ChatMessage {
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(content, "content");
        more = Collections.unmodifiableMap(new LinkedHashMap<>(more));
    }

    /** What the model is told first. */
    public static ChatMessage system(String content) {
        return new ChatMessage("system", content, Map.of());
    }

    /** What the user says. */
    public static ChatMessage user(String content) {
        return new ChatMessage("user", content, Map.of());
    }

    /** What the model said. */
    public static ChatMessage assistant(String content) {
        return new ChatMessage("assistant", content, Map.of());
    }

    /** What a tool answered. */
    public static ChatMessage tool(String content) {
        return new ChatMessage("tool", content, Map.of());
    }

    /** What a tool answered to a call; in a chat, behind the message of the call. */
    public static ChatMessage tool(ToolCall call, String content) {
        return tool(content).with("tool_call_id", call.id()).with("name", call.name());
    }

    /** A copy with a field more. */
    public ChatMessage with(String field, Object value) {
        Map<String, Object> all = new LinkedHashMap<>(more);
        all.put(field, value);
        return new ChatMessage(role, content, all);
    }
}
