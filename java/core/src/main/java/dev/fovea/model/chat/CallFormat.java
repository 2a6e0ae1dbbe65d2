package dev.fovea.model.chat;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonToken;
import dev.fovea.internal.files.JsonSyntax;
import java.io.IOException;
import java.io.StringReader;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** How models write that they call tools. What is no call stays text. */
public enum CallFormat {
    /** {@code <tool_call>{"name": …, "arguments": …}</tool_call>}, of Hermes and Qwen. */
    HERMES("<tool_call>", "<tool_call>\n", "{\"name\": \"", "\", \"arguments\": ", "}\n</tool_call>") {
        @Override
        public Answer read(String answer, Set<String> tools) {
            List<Call> calls = new ArrayList<>();
            var content = new StringBuilder();
            int at = 0;
            for (int begin = answer.indexOf(marker()); begin >= 0; begin = answer.indexOf(marker(), at)) {
                int end = answer.indexOf(END, behindValue(answer, begin + marker().length()));
                String inside = answer.substring(begin + marker().length(), end < 0 ? answer.length() : end);
                List<Call> found = calls(inside.strip());
                int behind = end < 0 ? answer.length() : end + END.length();
                content.append(answer, at, found.isEmpty() ? behind : begin);
                calls.addAll(found);
                at = behind;
            }
            return new Answer(content.append(answer, at, answer.length()).toString().strip(), calls);
        }
    },
    /** {@code {"name": …, "parameters": …}} alone, of Llama 3, perhaps behind {@code <|python_tag|>}; more behind semicolons. */
    LLAMA("<|python_tag|>", "", "{\"name\": \"", "\", \"parameters\": ", "}") {
        @Override
        public Answer read(String answer, Set<String> tools) {
            String text = answer.strip();
            boolean marked = text.startsWith(marker());
            String rest = marked ? text.substring(marker().length()).strip() : text;
            List<Call> calls = new ArrayList<>();
            while (!rest.isEmpty()) {
                int end = endOfObject(rest);
                List<Call> found = end < 0 ? List.of() : calls(rest.substring(0, end));
                // An answer in JSON is no call.
                if (found.isEmpty() || !marked && !tools.contains(found.getFirst().name())) {
                    return new Answer(answer, List.of());
                }
                calls.addAll(found);
                rest = rest.substring(end).strip();
                rest = rest.startsWith(";") ? rest.substring(1).strip() : rest;
            }
            return new Answer("", calls);
        }
    },
    /** {@code [TOOL_CALLS][{"name": …, "arguments": …}]}, of Mistral; of newer ones, the name and the arguments alone. */
    MISTRAL("[TOOL_CALLS]", "[TOOL_CALLS]", "[{\"name\": \"", "\", \"arguments\": ", "}]") {
        @Override
        public Answer read(String answer, Set<String> tools) {
            List<Call> calls = new ArrayList<>();
            int first = answer.indexOf(marker());
            for (int begin = first; begin >= 0; ) {
                int inside = begin + marker().length();
                int next = answer.indexOf(marker(), behindValue(answer, inside));
                String part = answer.substring(inside, next < 0 ? answer.length() : next).strip();
                List<Call> found = part.startsWith("[") ? calls(part) : named(part);
                if (found.isEmpty()) {
                    return new Answer(answer, List.of());
                }
                calls.addAll(found);
                begin = next;
            }
            return new Answer(first < 0 ? answer.strip() : answer.substring(0, first).strip(), calls);
        }
    };

    private static final String END = "</tool_call>";
    private static final String ARGUMENTS = "[ARGS]";

    private final String marker;
    private final String before;
    private final String beforeName;
    private final String behindName;
    private final String behindArguments;

    /** What begins calls, and what stands in one around its name and its arguments. */
    CallFormat(String marker, String before, String beforeName, String behindName, String behindArguments) {
        this.marker = marker;
        this.before = before;
        this.beforeName = beforeName;
        this.behindName = behindName;
        this.behindArguments = behindArguments;
    }

    /** What a call begins with, for a model that has no choice. */
    public String before() {
        return before;
    }

    /** What stands between that and the name. */
    public String beforeName() {
        return beforeName;
    }

    /** What stands between the name and the arguments. */
    public String behindName() {
        return behindName;
    }

    /** What ends a call. */
    public String behindArguments() {
        return behindArguments;
    }

    /**
     * A call of a tool.
     *
     * @param arguments an object in JSON
     */
    public record Call(String name, String arguments) {}

    /**
     * What a model answered.
     *
     * @param content what is no call
     */
    public record Answer(String content, List<Call> calls) {}

    /** What begins calls. */
    public String marker() {
        return marker;
    }

    /** Whether each call begins with the marker; else one that stands alone may be without. */
    public boolean needsMarker() {
        return !before.isEmpty();
    }

    /** That which a template speaks of; null if there is none that is known. */
    public static CallFormat of(String template) {
        if (template.contains(MISTRAL.marker)) {
            return MISTRAL;
        }
        if (template.contains(HERMES.marker) && !template.contains("<function=")) {
            return HERMES;
        }
        boolean isLlama = template.contains(LLAMA.marker) || template.contains("<|start_header_id|>");
        return isLlama && template.contains("tools") ? LLAMA : null;
    }

    /**
     * Where a call may begin in what an answer has so far, or −1: what stands before it is no part of one.
     *
     * @param text what follows; its end may be the begin of the mark
     * @param first whether nothing but white space stands before it
     */
    public int begin(CharSequence text, boolean first) {
        String all = text.toString();
        if (this == LLAMA && first && all.stripLeading().startsWith("{")) {
            return 0; // such a call needs no mark
        }
        int begin = all.indexOf(marker);
        for (int at = Math.max(0, all.length() - marker.length() + 1); begin < 0 && at < all.length(); at++) {
            begin = marker.startsWith(all.substring(at)) ? at : -1;
        }
        return begin;
    }

    /** Whether a call begins with a text that {@link #begin} found, and not only may. */
    public boolean isBegun(CharSequence text) {
        return text.toString().contains(marker) || this == LLAMA && text.toString().stripLeading().startsWith("{");
    }

    /** Reads an answer, special tokens and all, to a chat with some tools. */
    public abstract Answer read(String answer, Set<String> tools);

    private static List<Call> calls(String json) {
        JsonElement value;
        try {
            var reader = JsonSyntax.strict(new StringReader(json));
            value = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                return List.of();
            }
        } catch (JsonParseException | IOException e) {
            return List.of();
        }
        List<Call> calls = new ArrayList<>();
        for (JsonElement one : value instanceof JsonArray array ? array.asList() : List.of(value)) {
            Call call = one instanceof JsonObject object ? call(object) : null;
            if (call == null) {
                return List.of();
            }
            calls.add(call);
        }
        return calls;
    }

    private static Call call(JsonObject object) {
        JsonElement name = object.get("name");
        JsonElement arguments = object.has("arguments") ? object.get("arguments") : object.get("parameters");
        if (arguments instanceof JsonPrimitive text && text.isString()) {
            return isName(name) ? named(name.getAsString() + text.getAsString()).stream().findFirst().orElse(null) : null;
        }
        boolean isCall = isName(name) && (arguments == null || arguments.isJsonObject());
        return isCall ? new Call(name.getAsString(), arguments == null ? "{}" : arguments.toString()) : null;
    }

    private static boolean isName(JsonElement name) {
        return name instanceof JsonPrimitive text && text.isString() && !text.getAsString().isEmpty();
    }

    /** A name and arguments behind it. */
    private static List<Call> named(String text) {
        int brace = text.indexOf('{');
        if (brace <= 0) {
            return List.of();
        }
        String name = text.substring(0, brace).replace(ARGUMENTS, "").replaceFirst("\\[CALL_ID\\].*", "").strip();
        List<Call> whole = calls("{\"name\":" + new JsonPrimitive(name) + ",\"arguments\":" + text.substring(brace) + "}");
        return name.isEmpty() ? List.of() : whole;
    }

    /** Where the object ends that a text begins with, or −1. */
    private static int endOfObject(String text) {
        return text.startsWith("{") ? endOfValue(text, 0) : -1;
    }

    /**
     * Where what follows a mark may end: texts in an object or a list may spell marks, with Mistral also those in an object behind
     * a name. The place itself if there is none of them, or it does not end.
     */
    int behindValue(String text, int from) {
        int begin = from;
        while (begin < text.length() && Character.isWhitespace(text.charAt(begin))) {
            begin++;
        }
        boolean isNamed = this == MISTRAL && begin < text.length() && text.charAt(begin) != '{' && text.charAt(begin) != '[';
        int brace = isNamed ? text.indexOf('{', begin) : begin;
        int end = brace < 0 || text.substring(begin, brace).contains(marker) ? -1 : endOfValue(text, brace);
        return end < 0 ? from : end;
    }

    /** Where an object or a list ends that begins at a place, or −1. */
    private static int endOfValue(String text, int begin) {
        int depth = 0;
        boolean inString = false;
        for (int i = begin; i < text.length(); i++) {
            char c = text.charAt(i);
            if (inString) {
                i += c == '\\' ? 1 : 0;
                inString = c != '"';
            } else if (c == '"') {
                inString = true;
            } else if (c == '{' || c == '[') {
                depth++;
            } else if ((c == '}' || c == ']') && --depth == 0) {
                return i + 1;
            }
            if (depth == 0 && !inString) {
                return -1;
            }
        }
        return -1;
    }
}
