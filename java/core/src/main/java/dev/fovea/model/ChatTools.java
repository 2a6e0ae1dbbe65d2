package dev.fovea.model;

import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.chat.CallFormat;
import dev.fovea.model.grammar.Thoughts;
import dev.fovea.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.IntStream;

/** Chats with a model: their texts, what answers say about them, and answers that are a call of one. */
final class ChatTools {
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

    /** The ids of a chat, and of what stands behind it. */
    int[] ids(Chat chat, String behind) {
        return ids(render(chat) + behind);
    }

    /** The text of a chat, with marks around what must stay text. */
    private String render(Chat chat) {
        return template.render(new UserTexts(tokenizer).marked(chat));
    }

    /** The ids of such a text. */
    private int[] ids(String rendered) {
        return new UserTexts(tokenizer).encode(rendered);
    }

    /** Whether thoughts come first where a chat's text ends like this. */
    private Thinking thoughts(String rendered) {
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

    /** An answer that the model is free to give, in the form of the options. */
    ExpectedAnswer free(Chat chat, SamplingOptions options) {
        return expect(chat, options, options.format() == null || !options.format().isJson(), null);
    }

    private ExpectedAnswer expect(Chat chat, SamplingOptions options, boolean hasCalls, OutputFormat call) {
        String rendered = render(chat);
        return new ExpectedAnswer(chat, ids(rendered), thoughts(rendered).before(options), isOpen(rendered), "", hasCalls, call);
    }

    /**
     * As {@link #free}, but where the options want JSON, it may be a call of one of the chat's tools; and where they have no
     * format, calls of strict tools are valid by their schemas.
     *
     * @param writer goes on with ids
     */
    ExpectedAnswer freeToCall(Chat chat, SamplingOptions options, BiFunction<int[], SamplingOptions, GeneratedText> writer) {
        List<ChatTool> tools = ChatTool.of(chat); // tells now what is wrong with them, not behind the answer
        boolean isFormed = options.format() != null && options.format().isJson();
        boolean isStrict = options.format() == null && tools.stream().anyMatch(ChatTool::isStrict);
        if (tools.isEmpty() || !knowsCalls() || !isFormed && !isStrict) {
            return free(chat, options);
        }
        if (isStrict && thinks && (isSpecial(Thoughts.BEGIN) || isSpecial(Thoughts.END))) {
            throw new UnsupportedOperationException("strict tools are not supported of a model whose thoughts begin or end with a"
                    + " special token: no format has it");
        }
        Map<String, String> schemas = ChatTool.schemas(tools, isStrict);
        boolean isSpecial = format.needsMarker() && isSpecial(format.marker());
        if (isStrict && !isSpecial) {
            return expect(chat, options.withFormat(OutputFormat.textWithCalls(schemas, parts(true), format)), true, null);
        }
        OutputFormat call = OutputFormat.call(schemas, parts(true)); // tells likewise what is wrong with schemas
        return isSpecial ? firstToken(chat, options, schemas, writer)
                : expect(chat, options.withFormat(options.format().orCall(schemas, parts(true))), true, call);
    }

    /** No format has the token that begins calls: what the model writes first, without one, says whether it wants a call. */
    private ExpectedAnswer firstToken(Chat chat, SamplingOptions options, Map<String, String> schemas,
            BiFunction<int[], SamplingOptions, GeneratedText> writer) {
        SamplingOptions plain = options.withFormat(null);
        OutputFormat form = options.format() == null ? OutputFormat.textWithout(format.marker()) : options.format();
        ExpectedAnswer silent = expect(chat, options.withFormat(form), false, null);
        int[] first = writer.apply(silent.ids(), plain.withMaxTokens(1)).tokens();
        return first.length == 1 && first[0] == tokenizer.id(format.marker()) ? forced(chat, plain, schemas) : silent;
    }

    /** A call of a tool, perhaps behind thoughts. */
    ExpectedAnswer forced(Chat chat, SamplingOptions options) {
        if (options.format() != null) {
            throw new IllegalArgumentException("expected options without a format for a call of a tool, got " + options.format());
        }
        return forced(chat, options, ChatTool.schemas(ChatTool.of(chat), false));
    }

    private ExpectedAnswer forced(Chat chat, SamplingOptions options, Map<String, String> schemas) {
        if (schemas.isEmpty()) {
            throw new IllegalArgumentException("expected a chat with at least 1 tool, got 0");
        }
        String rendered = render(chat);
        Thinking thinking = thoughts(rendered);
        // One that does not think begins with the call.
        String begin = thinking == Thinking.NOT ? require().before() : "";
        SamplingOptions forced = thinking.before(options.withFormat(OutputFormat.call(schemas, parts(begin.isEmpty()))));
        return new ExpectedAnswer(chat, ids(rendered + begin), forced, begin.isEmpty() && isOpen(rendered), begin, true, null);
    }

    private boolean isOpen(String rendered) {
        return thinks && rendered.stripTrailing().endsWith(Thoughts.BEGIN);
    }

    /** What tells an answer as it comes. */
    AnswerParts parts(ExpectedAnswer expected, ChatListener listener) {
        boolean hasCalls = expected.hasCalls() && !expected.chat().tools().isEmpty();
        return new AnswerParts(listener, tokenizer, thinks, expected, hasCalls ? format : null);
    }

    /** Takes apart what a model wrote. */
    ChatAnswer read(ExpectedAnswer expected, GeneratedText generated) {
        Chat chat = expected.chat();
        String written = expected.begin() + (generated.finish() == Finish.STOP ? generated.text() : decoded(generated));
        String start = written.stripLeading();
        boolean begins = thinks && start.startsWith(Thoughts.BEGIN);
        boolean thought = begins || expected.isOpen();
        String reasoning = thought ? start.substring(begins ? Thoughts.BEGIN.length() : 0).strip() : "";
        int end = reasoning.indexOf(Thoughts.END);
        if (thought && end < 0) {
            // It did not come to an end of them.
            return new ChatAnswer("", reasoning, List.of(), generated);
        }
        String rest = thought ? written.substring(written.indexOf(Thoughts.END) + Thoughts.END.length()).stripLeading() : written;
        reasoning = thought ? reasoning.substring(0, end).strip() : "";
        // What has the other form may look like a call.
        boolean mayCall = expected.hasCalls() && (expected.call() == null || expected.call().compiled().reader().take(rest));
        Set<String> tools = mayCall ? ChatTool.names(ChatTool.of(chat)) : Set.of();
        CallFormat.Answer answer = format == null || tools.isEmpty() ? null : format.read(rest, tools);
        if (answer == null || answer.calls().isEmpty()) {
            return new ChatAnswer(thought ? behindThoughts(generated) : generated.text(), reasoning, List.of(), generated);
        }
        int number = chat.messages().stream().mapToInt(message -> message.more().get("tool_calls") instanceof List<?> calls
                ? calls.size() : 0).sum();
        List<ToolCall> calls = new ArrayList<>();
        for (CallFormat.Call call : answer.calls()) {
            calls.add(new ToolCall("call%05d".formatted(++number), call.name(), call.arguments()));
        }
        return new ChatAnswer(answer.content(), reasoning, calls, generated);
    }

    /** What stands behind thoughts, without special tokens. */
    private String behindThoughts(GeneratedText generated) {
        String text = generated.text();
        int end = text.indexOf(Thoughts.END);
        if (end >= 0) {
            return text.substring(end + Thoughts.END.length()).stripLeading();
        }
        // Their end is a special token.
        int mark = tokenizer.id(Thoughts.END);
        int[] tokens = generated.tokens();
        int thoughts = (int) IntStream.of(tokens).takeWhile(id -> id != mark).count();
        return text.substring(Math.min(text.length(), tokenizer.decode(Arrays.copyOf(tokens, thoughts), false).length())).stripLeading();
    }

    /** With special tokens, which calls may begin with, but without the one that ends the text. */
    private String decoded(GeneratedText generated) {
        int[] tokens = generated.tokens();
        int count = tokens.length - (generated.finish() == Finish.END && tokens.length > 0 ? 1 : 0);
        return tokenizer.decode(IntStream.of(tokens).limit(count).filter(id -> id < tokenizer.vocabularySize()).toArray(), true);
    }

    /** What stands in a call, or behind its begin, around the name and the arguments. */
    private List<String> parts(boolean whole) {
        CallFormat calls = require();
        return List.of((whole ? calls.before() : "") + calls.beforeName(), calls.behindName(), calls.behindArguments());
    }

    private boolean knowsCalls() {
        return format != null && !spellsArguments;
    }

    private CallFormat require() {
        if (!knowsCalls()) {
            throw new UnsupportedOperationException("the model's chat template does not say how calls of tools look,"
                    + " or in a way that is not known here");
        }
        return format;
    }
}
