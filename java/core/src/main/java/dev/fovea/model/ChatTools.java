package dev.fovea.model;

import com.google.gson.Gson;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.chat.CallFormat;
import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Tools of chats: what answers say about them, and answers that are a call of one. */
final class ChatTools {
    private static final Gson JSON = new Gson();
    private static final String THINK = "<think>";
    private static final String END_OF_THINK = "</think>";

    private final Tokenizer tokenizer;
    /** Null where the model's template does not say how calls look. */
    private final CallFormat format;
    private final boolean thinks;
    private final boolean spellsArguments;

    ChatTools(Tokenizer tokenizer, String template) {
        this.tokenizer = tokenizer;
        this.format = CallFormat.of(template);
        this.thinks = template.contains(END_OF_THINK);
        this.spellsArguments = template.contains("[ARGS]");
    }

    /** Takes apart what a model wrote behind {@code before}. */
    ChatAnswer read(Chat chat, String before, GeneratedText generated) {
        String written = before + (generated.finish() == Finish.STOP ? generated.text() : decoded(generated));
        int end = thinks ? written.indexOf(END_OF_THINK) : -1;
        String reasoning = end < 0 ? "" : written.substring(0, end).replace(THINK, "").strip();
        String rest = end < 0 ? written : written.substring(end + END_OF_THINK.length()).stripLeading();
        Map<String, String> tools = schemas(chat);
        CallFormat.Answer answer = format == null || tools.isEmpty() ? null : format.read(rest, tools.keySet());
        if (answer == null || answer.calls().isEmpty()) {
            int behind = end < 0 ? 0 : generated.text().indexOf(END_OF_THINK) + END_OF_THINK.length();
            return new ChatAnswer(behind == 0 ? generated.text() : generated.text().substring(behind).stripLeading(), reasoning,
                    List.of(), generated);
        }
        int number = chat.messages().stream().mapToInt(message -> message.more().get("tool_calls") instanceof List<?> calls
                ? calls.size() : 0).sum();
        List<ToolCall> calls = new ArrayList<>();
        for (CallFormat.Call call : answer.calls()) {
            calls.add(new ToolCall("call%05d".formatted(++number), call.name(), call.arguments()));
        }
        return new ChatAnswer(answer.content(), reasoning, calls, generated);
    }

    /** With special tokens, which calls may begin with, but without the one that ends the text. */
    private String decoded(GeneratedText generated) {
        int[] tokens = generated.tokens();
        int count = tokens.length - (generated.finish() == Finish.END && tokens.length > 0 ? 1 : 0);
        return tokenizer.decode(IntStream.of(tokens).limit(count).filter(id -> id < tokenizer.vocabularySize()).toArray(), true);
    }

    /** The schemas of the arguments of a chat's tools, in JSON, by the tools' names. */
    private static Map<String, String> schemas(Chat chat) {
        Map<String, String> schemas = new LinkedHashMap<>();
        for (Map<String, Object> tool : chat.tools()) {
            Map<?, ?> function = tool.get("function") instanceof Map<?, ?> inner ? inner : tool;
            if (!(function.get("name") instanceof String name)) {
                throw new IllegalArgumentException("expected tools as {\"type\": \"function\", \"function\": {\"name\": …}}, got "
                        + JSON.toJson(tool));
            }
            Object parameters = function.get("parameters");
            schemas.put(name, parameters == null ? "{\"type\": \"object\"}" : JSON.toJson(parameters));
        }
        return schemas;
    }

    /** What a call begins with. */
    String begin() {
        return require().before();
    }

    /** What must follow that. */
    OutputFormat call(Chat chat) {
        Map<String, String> schemas = schemas(chat);
        if (schemas.isEmpty()) {
            throw new IllegalArgumentException("expected a chat with at least 1 tool, got 0");
        }
        CallFormat calls = require();
        return OutputFormat.call(schemas, List.of(calls.beforeName(), calls.behindName(), calls.behindArguments()));
    }

    private CallFormat require() {
        if (format == null || spellsArguments) {
            throw new UnsupportedOperationException("the model's chat template does not say how calls of tools look,"
                    + " or in a way that is not known here");
        }
        return format;
    }
}
