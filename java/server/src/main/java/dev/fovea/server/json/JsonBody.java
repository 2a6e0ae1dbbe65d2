package dev.fovea.server.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.fovea.server.json.ApiException.Kind;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * An object that a client sent, and its fields, each of which is what it should be or an {@link ApiException} that names it.
 * {@code null} counts as absent.
 */
public final class JsonBody {
    private static final int MAX_DEPTH = 64;
    private static final int EXCERPT = 40;
    /** Digits of a number: reading many takes long. */
    private static final int MAX_NUMBER = 64;

    private final JsonObject object;
    /** What stands before names in errors: {@code messages[0].}. */
    private final String place;

    private JsonBody(JsonObject object, String place) {
        this.object = object;
        this.place = place;
    }

    /**
     * Reads a body.
     *
     * @throws ApiException if it is not one object of JSON in UTF-8 and nothing else, or nested too deeply
     */
    public static JsonBody parse(byte[] bytes) {
        String text;
        try {
            text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException _) {
            throw new ApiException(Kind.SYNTAX, "the body is not UTF-8");
        }
        var reader = new JsonReader(new StringReader(text));
        reader.setStrictness(Strictness.STRICT);
        reader.setNestingLimit(MAX_DEPTH);
        try {
            reader.peek(); // an empty body is not null
            JsonElement element = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new ApiException(Kind.SYNTAX, "the body goes on behind its JSON");
            }
            if (!(element instanceof JsonObject object)) {
                throw new ApiException(Kind.INVALID, "expected a JSON object, got " + kind(element));
            }
            return new JsonBody(object, "");
        } catch (IOException | JsonParseException | NumberFormatException e) {
            throw new ApiException(Kind.SYNTAX, "the body is not JSON, or nested more than " + MAX_DEPTH + " deep, at "
                    + reader.getPath());
        }
    }

    /** Refuses fields of other names: what is not followed must not go unnoticed. */
    public JsonBody allowOnly(Set<String> known) {
        for (String name : object.keySet()) {
            if (!known.contains(name) && has(name)) {
                throw new ApiException(Kind.UNSUPPORTED, "the field " + place + excerpt(name)
                        + " is not supported here; there are " + String.join(", ", new TreeSet<>(known)), place + name);
            }
        }
        return this;
    }

    /** Refuses a field whose value is not the one that changes nothing. */
    public void allowOnlyValue(String name, String neutral) {
        if (has(name) && !object.get(name).toString().equals(neutral)) {
            throw new ApiException(Kind.UNSUPPORTED, place + name + " is not supported, but for " + neutral + "; got "
                    + excerpt(object.get(name).toString()), place + name);
        }
    }

    /** Whether a field is there and not null. */
    public boolean has(String name) {
        return object.has(name) && !object.get(name).isJsonNull();
    }

    /** A field's name as errors give it. */
    public String name(String field) {
        return place + field;
    }

    /** A field as it is; null if it is absent. */
    public JsonElement get(String name) {
        return has(name) ? object.get(name) : null;
    }

    private JsonElement require(String name) {
        if (!has(name)) {
            throw new ApiException(Kind.INVALID, "the field " + place + name + " is missing", place + name);
        }
        return object.get(name);
    }

    /** An error of a field. */
    public ApiException wrong(String name, String expected) {
        JsonElement got = object.get(name);
        String shown = got == null ? "nothing" : got.isJsonArray() || got.isJsonObject() ? kind(got) : excerpt(got.toString());
        return new ApiException(Kind.INVALID, "expected " + place + name + " to be " + expected + ", got " + shown, place + name);
    }

    /** A text. */
    public String string(String name) {
        if (require(name) instanceof JsonPrimitive value && value.isString()) {
            return value.getAsString();
        }
        throw wrong(name, "a string");
    }

    /** A text, or {@code otherwise}. */
    public String string(String name, String otherwise) {
        return has(name) ? string(name) : otherwise;
    }

    /** One of some texts. */
    public String choice(String name, String otherwise, List<String> choices) {
        String value = string(name, otherwise);
        if (!choices.contains(value)) {
            throw wrong(name, "one of " + String.join(", ", choices));
        }
        return value;
    }

    /** A truth value. */
    public boolean bool(String name, boolean otherwise) {
        if (!has(name)) {
            return otherwise;
        }
        if (object.get(name) instanceof JsonPrimitive value && value.isBoolean()) {
            return value.getAsBoolean();
        }
        throw wrong(name, "true or false");
    }

    /** A whole number from {@code least} to {@code most}. */
    public long integer(String name, long otherwise, long least, long most) {
        if (!has(name)) {
            return otherwise;
        }
        number(name, 0);
        try {
            // As a double, 0.99999999999999999999 would be whole.
            long value = object.get(name).getAsBigDecimal().longValueExact();
            if (value >= least && value <= most) {
                return value;
            }
        } catch (ArithmeticException | NumberFormatException _) {
            // It is not whole, or out of all bounds.
        }
        throw wrong(name, "a whole number from " + least + " to " + most);
    }

    /** A finite number. */
    public double number(String name, double otherwise) {
        if (!has(name)) {
            return otherwise;
        }
        if (object.get(name) instanceof JsonPrimitive value && value.isNumber() && value.getAsString().length() <= MAX_NUMBER
                && Double.isFinite(value.getAsDouble())) {
            return value.getAsDouble();
        }
        throw wrong(name, "a number");
    }

    /** A number within bounds. */
    public float number(String name, double otherwise, double least, double most) {
        double value = number(name, otherwise);
        if (value < least || value > most) {
            throw wrong(name, "a number from " + least + " to " + most);
        }
        return (float) value;
    }

    /** An object. */
    public JsonBody object(String name) {
        if (require(name) instanceof JsonObject value) {
            return new JsonBody(value, place + name + '.');
        }
        throw wrong(name, "an object");
    }

    /** The objects of an array. */
    public List<JsonBody> objects(String name) {
        if (!(require(name) instanceof JsonArray array)) {
            throw wrong(name, "an array of objects");
        }
        List<JsonBody> all = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            if (!(array.get(i) instanceof JsonObject value)) {
                throw new ApiException(Kind.INVALID, "expected " + place + name + "[" + i + "] to be an object, got "
                        + kind(array.get(i)), place + name);
            }
            all.add(new JsonBody(value, place + name + '[' + i + "]."));
        }
        return all;
    }

    /** A text, or the texts of an array. */
    public List<String> texts(String name) {
        JsonElement value = require(name);
        if (value instanceof JsonPrimitive one && one.isString()) {
            return List.of(one.getAsString());
        }
        if (!(value instanceof JsonArray array)) {
            throw wrong(name, "a string or an array of strings");
        }
        List<String> texts = new ArrayList<>(array.size());
        for (int i = 0; i < array.size(); i++) {
            if (!(array.get(i) instanceof JsonPrimitive text) || !text.isString()) {
                throw new ApiException(Kind.INVALID, "expected " + place + name + "[" + i + "] to be a string, got "
                        + kind(array.get(i)), place + name);
            }
            texts.add(text.getAsString());
        }
        return texts;
    }

    /** The object in maps, lists, texts, numbers and truth values. */
    public Map<String, Object> plain() {
        return plain(object);
    }

    private static Map<String, Object> plain(JsonObject object) {
        Map<String, Object> fields = new LinkedHashMap<>();
        object.entrySet().forEach(field -> fields.put(field.getKey(), plain(field.getValue())));
        return fields;
    }

    /** A value in maps, lists, texts, numbers and truth values; null stays null. */
    public static Object plain(JsonElement element) {
        return switch (element) {
            case JsonObject inner -> plain(inner);
            case JsonArray array -> {
                List<Object> all = new ArrayList<>(array.size());
                array.forEach(one -> all.add(plain(one)));
                yield all;
            }
            case JsonPrimitive value when value.isString() -> value.getAsString();
            case JsonPrimitive value when value.isBoolean() -> value.getAsBoolean();
            case JsonPrimitive value -> {
                double number = value.getAsDouble();
                if (number == Math.rint(number) && Math.abs(number) < 1L << 53) {
                    yield (Object) (long) number;
                }
                String text = value.getAsString();
                if (!Double.isFinite(number) || text.length() > MAX_NUMBER) {
                    throw new ApiException(Kind.INVALID, "expected numbers up to 1.8e308 of at most " + MAX_NUMBER + " characters, got "
                            + excerpt(text));
                }
                // A double would change the digits of a whole number, such as of an id in a tool's schema.
                yield text.matches("-?\\d+") ? (Object) new BigInteger(text) : (Object) number;
            }
            default -> null;
        };
    }

    private static String kind(JsonElement element) {
        return switch (element) {
            case JsonObject _ -> "an object";
            case JsonArray array -> "an array of " + array.size();
            case JsonNull _ -> "null";
            default -> excerpt(element.toString());
        };
    }

    private static String excerpt(String text) {
        return text.length() <= EXCERPT ? text : text.substring(0, EXCERPT) + "…";
    }
}
