package dev.fovea.model;

import com.google.gson.Gson;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.chat.CallFormat;
import dev.fovea.model.grammar.Thoughts;
import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** Chats with a model: their texts, what answers say about them, and answers that are a call of one. */
final class ChatTools {
    private static final Gson JSON = new Gson();

    /** Whether thoughts come first in an answer. */
    enum Thinking {
        /** They do not. */
        NOT,
        /** The model may begin with them. */
        FREE,
        /** The chat's text ends with their begin. */
        BEGUN;

        /** Options whose format, if they have one, holds for what is behind them. */
        SamplingOptions before(SamplingOptions options) {
            OutputFormat format = options.format();
            return this == NOT || format == null ? options : options.withFormat(format.behindThoughts(this == BEGUN));
        }
    }

    private final Tokenizer tokenizer;
    private final ChatTemplate template;
    /** Null where the model's template does not say how calls look. */
    private final CallFormat format;
    private final boolean thinks;
    private final boolean mayBegin;
    private final boolean spellsArguments;

    ChatTools(Tokenizer tokenizer, ChatTemplate template) {
        this.tokenizer = tokenizer;
        this.template = template;
        String source = template.source();
        this.format = CallFormat.of(source);
        this.thinks = source.contains(Thoughts.END);
        this.mayBegin = thinks && source.contains(Thoughts.BEGIN) && !isSpecial(Thoughts.BEGIN) && !isSpecial(Thoughts.END);
        this.spellsArguments = source.contains("[ARGS]");
    }

    /** The text of a chat. */
    String prompt(Chat chat) {
        return template.render(chat);
    }

    /** The text of a chat, with marks around what must stay text. */
    String render(Chat chat) {
        return template.render(new UserTexts(tokenizer).marked(chat));
    }

    /** The ids of such a text. */
    int[] ids(String rendered) {
        return new UserTexts(tokenizer).encode(rendered);
    }

    /** Whether thoughts come first where a chat's text ends like this. */
    Thinking thoughts(String rendered) {
        String end = rendered.stripTrailing();
        if (!mayBegin || end.endsWith(Thoughts.END)) {
            return Thinking.NOT;
        }
        return end.endsWith(Thoughts.BEGIN) ? Thinking.BEGUN : Thinking.FREE;
    }

    /** Tokens that are no text are in no format. */
    private boolean isSpecial(String text) {
        int id = tokenizer.id(text);
        return id >= 0 && tokenizer.isSpecial(id);
    }

    /** Takes apart what a model wrote behind {@code before}. */
    ChatAnswer read(Chat chat, Thinking thinking, String before, GeneratedText generated) {
        String written = before + (generated.finish() == Finish.STOP ? generated.text() : decoded(generated));
        int end = thinks ? written.indexOf(Thoughts.END) : -1;
        boolean begins = thinks && written.stripLeading().startsWith(Thoughts.BEGIN);
        if (end < 0 && (begins || thinking == Thinking.BEGUN)) {
            // It did not come to an end of them.
            return new ChatAnswer("", written.replace(Thoughts.BEGIN, "").strip(), List.of(), generated);
        }
        String reasoning = end < 0 ? "" : written.substring(0, end).replace(Thoughts.BEGIN, "").strip();
        String rest = end < 0 ? written : written.substring(end + Thoughts.END.length()).stripLeading();
        Map<String, String> tools = schemas(chat);
        CallFormat.Answer answer = format == null || tools.isEmpty() ? null : format.read(rest, tools.keySet());
        if (answer == null || answer.calls().isEmpty()) {
            return new ChatAnswer(behindThoughts(generated.text(), end >= 0), reasoning, List.of(), generated);
        }
        int number = chat.messages().stream().mapToInt(message -> message.more().get("tool_calls") instanceof List<?> calls
                ? calls.size() : 0).sum();
        List<ToolCall> calls = new ArrayList<>();
        for (CallFormat.Call call : answer.calls()) {
            calls.add(new ToolCall("call%05d".formatted(++number), call.name(), call.arguments()));
        }
        return new ChatAnswer(answer.content(), reasoning, calls, generated);
    }

    /** What stands behind thoughts, or all. */
    static String behindThoughts(String text, boolean thought) {
        int end = thought ? text.indexOf(Thoughts.END) : -1;
        return end < 0 ? text : text.substring(end + Thoughts.END.length()).stripLeading();
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

    /** A call, or what must follow its begin. */
    OutputFormat call(Chat chat, boolean whole) {
        Map<String, String> schemas = schemas(chat);
        if (schemas.isEmpty()) {
            throw new IllegalArgumentException("expected a chat with at least 1 tool, got 0");
        }
        CallFormat calls = require();
        return OutputFormat.call(schemas, List.of((whole ? calls.before() : "") + calls.beforeName(), calls.behindName(),
                calls.behindArguments()));
    }

    private CallFormat require() {
        if (format == null || spellsArguments) {
            throw new UnsupportedOperationException("the model's chat template does not say how calls of tools look,"
                    + " or in a way that is not known here");
        }
        return format;
    }
}
