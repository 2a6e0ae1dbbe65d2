package dev.fovea.server.openai;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.model.ChatAnswer;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.ToolCall;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Messages of a chat as clients send them. */
public final class ChatFields {
    private static final Set<String> FIELDS = Set.of("role", "content", "name", "refusal", "tool_calls", "tool_call_id",
            "reasoning_content", "annotations", "audio");
    private static final Set<String> CALL_FIELDS = Set.of("id", "type", "function", "index");
    private static final List<String> ROLES = List.of("system", "developer", "user", "assistant", "tool");

    private ChatFields() {}

    /** The field {@code messages}, which has at least one. */
    public static List<ChatMessage> messages(JsonBody body) {
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonBody message : body.objects("messages")) {
            messages.add(message(message));
        }
        if (messages.isEmpty()) {
            throw new ApiException(Kind.EMPTY, "messages must have at least 1 message, got 0", "messages");
        }
        return messages;
    }

    private static ChatMessage message(JsonBody message) {
        message.allowOnly(FIELDS);
        message.allowOnlyValue("annotations", "[]");
        message.allowOnlyValue("audio", "null");
        String role = message.choice("role", "", ROLES);
        ChatMessage made;
        if (role.equals("assistant")) {
            boolean calls = message.has("tool_calls");
            made = new ChatAnswer(calls && !message.has("content") ? "" : content(message), message.string("reasoning_content", ""),
                    calls ? calls(message) : List.of(), null).message();
        } else if (role.equals("tool")) {
            made = ChatMessage.tool(content(message)).with("tool_call_id", message.string("tool_call_id"));
        } else {
            made = new ChatMessage(role.equals("developer") ? "system" : role, content(message), Map.of());
        }
        return message.has("name") ? made.with("name", message.string("name")) : made;
    }

    /** A text, or the texts of parts, one behind the other. */
    private static String content(JsonBody message) {
        JsonElement content = message.get("content");
        if (!(content instanceof JsonArray)) {
            return message.string("content");
        }
        StringBuilder text = new StringBuilder();
        for (JsonBody part : message.objects("content")) {
            part.choice("type", "", List.of("text"));
            text.append(part.string("text"));
        }
        return text.toString();
    }

    private static List<ToolCall> calls(JsonBody message) {
        List<ToolCall> calls = new ArrayList<>();
        for (JsonBody call : message.objects("tool_calls")) {
            call.allowOnly(CALL_FIELDS).choice("type", "function", List.of("function"));
            JsonBody function = call.object("function");
            String arguments = function.string("arguments");
            if (!isObject(arguments)) {
                throw function.wrong("arguments", "an object in JSON");
            }
            calls.add(new ToolCall(call.string("id"), function.string("name"), arguments));
        }
        return calls;
    }

    private static boolean isObject(String json) {
        try {
            JsonBody.parse(json.getBytes(StandardCharsets.UTF_8));
            return true;
        } catch (ApiException _) {
            return false;
        }
    }
}
