package dev.fovea.model;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A tool that a model wants to be called.
 *
 * @param id by which the tool's answer says what it answers; the first one of a chat is {@code call00001}
 * @param name of the tool, which need not be one that the chat has
 * @param arguments an object in JSON
 */
public record ToolCall(String id, String name, String arguments) {
    /** Checks that all is there. */
    public ToolCall {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(arguments, "arguments");
    }

    /** The arguments as maps, lists, texts, numbers and truth values. Whole numbers are {@code Long}, if they fit. */
    public Map<String, Object> values() {
        Map<String, Object> values = new LinkedHashMap<>();
        JsonParser.parseString(arguments).getAsJsonObject().entrySet()
                .forEach(one -> values.put(one.getKey(), plain(one.getValue())));
        return values;
    }

    private static Object plain(JsonElement value) {
        return switch (value) {
            case JsonNull _ -> null;
            case JsonPrimitive primitive when primitive.isString() -> primitive.getAsString();
            case JsonPrimitive primitive when primitive.isBoolean() -> primitive.getAsBoolean();
            case JsonArray array -> {
                List<Object> all = new ArrayList<>();
                array.forEach(one -> all.add(plain(one)));
                yield all;
            }
            case JsonObject object -> {
                Map<String, Object> all = new LinkedHashMap<>();
                object.entrySet().forEach(one -> all.put(one.getKey(), plain(one.getValue())));
                yield all;
            }
            default -> number(value.getAsString());
        };
    }

    private static Object number(String text) {
        try {
            return text.matches("-?\\d+") ? (Object) Long.valueOf(text) : (Object) Double.valueOf(text);
        } catch (NumberFormatException e) {
            return new BigDecimal(text);
        }
    }

    /** As templates of chats take it. */
    Map<String, Object> plain() {
        Map<String, Object> function = new LinkedHashMap<>();
        function.put("name", name);
        function.put("arguments", values());
        Map<String, Object> call = new LinkedHashMap<>();
        call.put("id", id);
        call.put("type", "function");
        call.put("function", function);
        return call;
    }
}
