package dev.fovea.server.openai;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.routing.ServerMetrics;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;

/** {@code POST /v1/chat/completions}: answers the last message of a chat, in the form that the model was trained on. */
public final class ChatRoute extends GenerationRoute {
    private static final Set<String> FIELDS = CompletionsRoute.fieldsOf("model", "messages", "stream", "stream_options",
            "logprobs", "top_logprobs", "response_format", "chat_template_kwargs", "user", "metadata", "store",
            "safety_identifier", "prompt_cache_key", "service_tier");
    private static final Set<String> MESSAGE_FIELDS = Set.of("role", "content", "name", "refusal");
    private static final List<String> ROLES = List.of("system", "developer", "user", "assistant");

    /** Serves the language models. */
    public ChatRoute(ModelSet models, ServerMetrics metrics, Function<Throwable, ApiException> translate) {
        super(models, metrics, translate);
    }

    @Override
    Set<String> fields() {
        return FIELDS;
    }

    @Override
    String prefix() {
        return "chatcmpl-";
    }

    @Override
    int[] prompt(JsonBody body, TextGenerator model) {
        if (body.has("response_format") && !SamplingFields.isType(body.get("response_format"), "text")) {
            throw new ApiException(Kind.UNSUPPORTED, "response_format is not supported, but for {\"type\":\"text\"}",
                    "response_format");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (JsonBody message : body.objects("messages")) {
            messages.add(message(message.allowOnly(MESSAGE_FIELDS)));
        }
        if (messages.isEmpty()) {
            throw new ApiException(Kind.EMPTY, "messages must have at least 1 message, got 0", "messages");
        }
        Map<String, Object> variables = body.has("chat_template_kwargs") ? withoutNulls(body.object("chat_template_kwargs").plain())
                : Map.of();
        return model.tokenizer().encode(model.prompt(Chat.of(messages).withVariables(variables)));
    }

    private static Map<String, Object> withoutNulls(Map<String, Object> fields) {
        Map<String, Object> left = new HashMap<>(fields);
        left.values().removeIf(Objects::isNull);
        return left;
    }

    private static ChatMessage message(JsonBody message) {
        String role = message.choice("role", "", ROLES);
        var made = new ChatMessage(role.equals("developer") ? "system" : role, content(message), Map.of());
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

    @Override
    boolean wantsLogProbabilities(JsonBody body) {
        if (body.has("top_logprobs")) {
            body.allowOnlyValue("top_logprobs", "0");
        }
        return body.bool("logprobs", false);
    }

    @Override
    void writeWhole(JsonText choice, GeneratedText result, LogProbabilities logProbabilities) {
        choice.object("message", message -> message.put("role", "assistant").put("content", result.text()).putNull("refusal"));
        if (logProbabilities == null) {
            choice.putNull("logprobs");
        } else {
            logProbabilities.writeChat(choice);
        }
    }

    @Override
    String object(boolean piece) {
        return piece ? "chat.completion.chunk" : "chat.completion";
    }

    @Override
    void writePiece(JsonText choice, CharSequence text, boolean first) {
        choice.object("delta", delta -> {
            if (first) {
                delta.put("role", "assistant");
            }
            if (first || !text.isEmpty()) {
                delta.put("content", text.toString());
            }
        });
    }

    @Override
    void writeLogProbabilities(JsonText choice, LogProbabilities logProbabilities) {
        logProbabilities.writeChat(choice);
    }

    @Override
    boolean beginsWithRole() {
        return true;
    }
}
