package dev.fovea.server.openai;

import dev.fovea.model.Chat;
import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.ToolCall;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.routing.ServerMetrics;
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
            "safety_identifier", "prompt_cache_key", "service_tier", "tools", "tool_choice", "parallel_tool_calls");
    private static final Set<String> SCHEMA_FIELDS = Set.of("name", "description", "schema", "strict");
    /** As with OpenAI. */
    private static final int MOST_LIKELIEST = 20;

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
    OutputFormat format(JsonBody body) {
        if (!body.has("response_format")) {
            return null;
        }
        JsonBody format = body.object("response_format");
        return switch (format.choice("type", "", List.of("text", "json_object", "json_schema"))) {
            case "text" -> null;
            case "json_object" -> OutputFormat.json();
            default -> {
                JsonBody schema = format.object("json_schema").allowOnly(SCHEMA_FIELDS);
                schema.object("schema");
                yield OutputFormat.jsonSchema(schema.get("schema").toString());
            }
        };
    }

    @Override
    Prompt prompt(JsonBody body, TextGenerator model) {
        List<ChatMessage> messages = ChatFields.messages(body);
        Map<String, Object> variables = body.has("chat_template_kwargs") ? withoutNulls(body.object("chat_template_kwargs").plain())
                : Map.of();
        ToolChoice choice = ToolChoice.of(body);
        boolean parallel = body.bool("parallel_tool_calls", true);
        if (!parallel && !choice.tools().isEmpty() && !choice.isForced() && format(body) == null) {
            throw new ApiException(Kind.UNSUPPORTED, "parallel_tool_calls cannot be false, but where tool_choice asks for a call or"
                    + " response_format for JSON: a model that is free may call several", "parallel_tool_calls");
        }
        Chat chat = Chat.of(messages).withVariables(variables).withTools(choice.tools());
        int[] ids = model.tokenizer().encode(model.prompt(chat));
        if (choice.isForced() && format(body) != null) {
            throw new ApiException(Kind.UNSUPPORTED, "response_format is not supported where tool_choice asks for a call",
                    "response_format");
        }
        return new Prompt(ids, (options, listener) -> Answer.of(choice.isForced() ? model.call(chat, options, listener)
                : model.answer(chat, options, listener)));
    }

    private static Map<String, Object> withoutNulls(Map<String, Object> fields) {
        Map<String, Object> left = new HashMap<>(fields);
        left.values().removeIf(Objects::isNull);
        return left;
    }

    @Override
    int likeliest(JsonBody body) {
        int most = (int) body.integer("top_logprobs", 0, 0, MOST_LIKELIEST);
        if (body.bool("logprobs", false)) {
            return most;
        }
        if (most > 0) {
            throw new ApiException(Kind.INVALID, "top_logprobs needs logprobs to be true", "top_logprobs");
        }
        return -1;
    }

    @Override
    void writeWhole(JsonText choice, Answer answer, LogProbabilities logProbabilities) {
        choice.object("message", message -> {
            boolean silent = answer.content().isEmpty() && !answer.calls().isEmpty();
            message.put("role", "assistant").put("content", silent ? null : answer.content()).putNull("refusal");
            if (!answer.reasoning().isEmpty()) {
                message.put("reasoning_content", answer.reasoning());
            }
            if (!answer.calls().isEmpty()) {
                writeCalls(message, answer.calls(), false);
            }
        });
        if (logProbabilities == null) {
            choice.putNull("logprobs");
        } else {
            logProbabilities.writeChat(choice);
        }
    }

    @Override
    void writeCalls(JsonText choice, Answer answer) {
        choice.object("delta", delta -> writeCalls(delta, answer.calls(), true));
    }

    private static void writeCalls(JsonText json, List<ToolCall> calls, boolean numbered) {
        json.array("tool_calls", all -> {
            for (int i = 0; i < calls.size(); i++) {
                int index = i;
                all.object(call -> {
                    if (numbered) {
                        call.put("index", index);
                    }
                    call.put("id", calls.get(index).id()).put("type", "function").object("function", function -> function
                            .put("name", calls.get(index).name()).put("arguments", calls.get(index).arguments()));
                });
            }
        });
    }

    @Override
    String object(boolean piece) {
        return piece ? "chat.completion.chunk" : "chat.completion";
    }

    @Override
    void writePiece(JsonText choice, Part part, CharSequence text, boolean first) {
        choice.object("delta", delta -> {
            if (first) {
                delta.put("role", "assistant");
            }
            if (first || !text.isEmpty()) {
                delta.put(part == Part.REASONING ? "reasoning_content" : "content", text.toString());
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
