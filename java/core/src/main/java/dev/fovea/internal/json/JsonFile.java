package dev.fovea.internal.json;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.JsonSyntax;
import dev.fovea.internal.files.ReadableFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A JSON object in a model's file, with its fields read as what they must be. A field that is absent or null takes the
 * given default; every other surprise is a {@link FormatException} that names file, field and value.
 */
public final class JsonFile {
    /** Far above any configuration, far below what would hurt. */
    private static final long MAX_BYTES = 16 << 20;

    private final Path file;
    private final String path;
    private final JsonObject object;
    private final boolean absent;

    private JsonFile(Path file, String path, JsonObject object, boolean absent) {
        this.file = file;
        this.path = path;
        this.object = object;
        this.absent = absent;
    }

    /** Reads a file that holds one object. */
    public static JsonFile read(Path file) throws IOException {
        return of(file, "JSON", parse(file));
    }

    /** Reads a file that holds one object; one without fields if there is no such file. */
    public static JsonFile readIfPresent(Path file) throws IOException {
        return Files.exists(file) ? read(file) : new JsonFile(file, "", new JsonObject(), true);
    }

    /** The JSON value that a file holds. */
    public static JsonElement parse(Path file) throws IOException {
        ReadableFile.require(file);
        long bytes = Files.size(file);
        if (bytes > MAX_BYTES) {
            throw new FormatException(file, -1, "JSON", "expected at most " + MAX_BYTES + " bytes, got " + bytes);
        }
        try {
            return JsonParser.parseString(Files.readString(file));
        } catch (CharacterCodingException e) {
            throw new FormatException(file, -1, "JSON", "not valid UTF-8", e);
        } catch (JsonParseException e) {
            throw new FormatException(file, -1, "JSON", JsonSyntax.problem(e), e);
        }
    }

    /** An element of a file, which must be an object; {@code field} is what errors call it. */
    public static JsonFile of(Path file, String field, JsonElement element) throws FormatException {
        if (!element.isJsonObject()) {
            throw new FormatException(file, -1, field, "expected an object, got " + excerpt(element));
        }
        return new JsonFile(file, "", element.getAsJsonObject(), false);
    }

    /** The file. */
    public Path file() {
        return file;
    }

    /** Whether there is no such file. */
    public boolean isAbsent() {
        return absent;
    }

    /** Refuses fields of other names. */
    @SafeVarargs
    public final void requireKnown(Set<String>... names) throws FormatException {
        for (String field : object.keySet()) {
            boolean known = false;
            for (Set<String> some : names) {
                known |= some.contains(field);
            }
            if (!known && has(field)) {
                throw new FormatException(file, -1, path + field, "not a field that is known here, with the value "
                        + excerpt(object.get(field)));
            }
        }
    }

    /** Refuses a field that has another value than {@code only}, which an absent one stands for. */
    public void require(String field, String only) throws FormatException {
        if (!string(field, only).equals(only)) {
            throw wrong(field, '"' + only + '"');
        }
    }

    /** Likewise, of a truth value. */
    public void require(String field, boolean only) throws FormatException {
        if (bool(field, only) != only) {
            throw wrong(field, Boolean.toString(only));
        }
    }

    /** Whether the field is there and not null. */
    public boolean has(String field) {
        return object.has(field) && !object.get(field).isJsonNull();
    }

    /** A whole number from {@code least} to 2³¹ − 1. */
    public int integer(String field, int least) throws FormatException {
        requirePresent(field);
        JsonPrimitive value = primitive(field);
        double number = value.isNumber() ? value.getAsDouble() : Double.NaN;
        if (!(number >= least && number <= Integer.MAX_VALUE && number == Math.rint(number))) {
            throw wrong(field, "a whole number from " + least + " to " + Integer.MAX_VALUE);
        }
        return (int) number;
    }

    /** As {@link #integer(String, int)}, or {@code absent}. */
    public int integer(String field, int least, int absent) throws FormatException {
        return has(field) ? integer(field, least) : absent;
    }

    /** A number above 0 that is finite as a float, or {@code absent}. */
    public float positive(String field, float absent) throws FormatException {
        if (!has(field)) {
            return absent;
        }
        JsonPrimitive value = primitive(field);
        float number = value.isNumber() ? value.getAsFloat() : Float.NaN;
        if (!(number > 0 && number < Float.POSITIVE_INFINITY)) {
            throw wrong(field, "a number above 0");
        }
        return number;
    }

    /** A text. */
    public String string(String field) throws FormatException {
        requirePresent(field);
        JsonPrimitive value = primitive(field);
        if (!value.isString()) {
            throw wrong(field, "a string");
        }
        return value.getAsString();
    }

    /** A text, or {@code absent}. */
    public String string(String field, String absent) throws FormatException {
        return has(field) ? string(field) : absent;
    }

    /** A truth value, or {@code absent}. */
    public boolean bool(String field, boolean absent) throws FormatException {
        if (!has(field)) {
            return absent;
        }
        JsonPrimitive value = primitive(field);
        if (!value.isBoolean()) {
            throw wrong(field, "true or false");
        }
        return value.getAsBoolean();
    }

    /** An object. */
    public JsonFile object(String field) throws FormatException {
        requirePresent(field);
        if (object.get(field) instanceof JsonObject inner) {
            return new JsonFile(file, path + field + ".", inner, false);
        }
        throw wrong(field, "an object");
    }

    /** The names of all fields. */
    public Set<String> fields() {
        return object.keySet();
    }

    /** Whether the value of a field is an object. */
    public boolean isObject(String field) {
        return object.get(field) instanceof JsonObject;
    }

    /** Whether the value of a field is an array. */
    public boolean isArray(String field) {
        return object.get(field) instanceof JsonArray;
    }

    /** An array of texts, or of objects that have a text in the field {@code content}. */
    public List<String> contents(String field) throws FormatException {
        List<String> contents = new ArrayList<>();
        for (JsonElement element : object.getAsJsonArray(field)) {
            if (element instanceof JsonObject inner) {
                contents.add(new JsonFile(file, path + field + ".", inner, false).string("content"));
            } else if (element instanceof JsonPrimitive primitive && primitive.isString()) {
                contents.add(primitive.getAsString());
            } else {
                throw wrong(field, "an array of tokens");
            }
        }
        return contents;
    }

    /** Whether the value of a field that is there is an empty object or array, or a text without chars. */
    public boolean isEmpty(String field) {
        return switch (object.get(field)) {
            case JsonObject inner -> inner.isEmpty();
            case JsonArray array -> array.isEmpty();
            case JsonPrimitive value -> value.isString() && value.getAsString().isEmpty();
            default -> false;
        };
    }

    /** An object of texts, by their names; none if it is absent. */
    public Map<String, String> stringsByName(String field) throws FormatException {
        Map<String, String> strings = new LinkedHashMap<>();
        if (has(field)) {
            JsonFile inner = object(field);
            for (String name : inner.fields()) {
                strings.put(name, inner.string(name));
            }
        }
        return strings;
    }

    /** A text, or an array of texts. */
    public List<String> stringOrStrings(String field) throws FormatException {
        return isArray(field) ? strings(field) : List.of(string(field));
    }

    /** An array of texts. */
    public List<String> strings(String field) throws FormatException {
        requirePresent(field);
        if (!(object.get(field) instanceof JsonArray array)) {
            throw wrong(field, "an array of strings");
        }
        List<String> strings = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonPrimitive primitive) || !primitive.isString()) {
                throw wrong(field, "an array of strings");
            }
            strings.add(primitive.getAsString());
        }
        return strings;
    }

    /** An array of finite numbers. */
    public List<Double> numbers(String field) throws FormatException {
        requirePresent(field);
        if (!(object.get(field) instanceof JsonArray array)) {
            throw wrong(field, "an array of numbers");
        }
        List<Double> numbers = new ArrayList<>();
        for (JsonElement element : array) {
            if (!(element instanceof JsonPrimitive primitive) || !primitive.isNumber()
                    || !Double.isFinite(primitive.getAsDouble())) {
                throw wrong(field, "an array of numbers");
            }
            numbers.add(primitive.getAsDouble());
        }
        return numbers;
    }

    /** A finite number of any sign. */
    public double number(String field) throws FormatException {
        requirePresent(field);
        JsonPrimitive value = primitive(field);
        if (!value.isNumber() || !Double.isFinite(value.getAsDouble())) {
            throw wrong(field, "a number");
        }
        return value.getAsDouble();
    }

    /** The failure of a field whose value is not {@code expected}. */
    public FormatException wrong(String field, String expected) {
        return new FormatException(
                file, -1, path + field, "expected " + expected + ", got " + (has(field) ? excerpt(object.get(field)) : "nothing"));
    }

    private void requirePresent(String field) throws FormatException {
        if (!has(field)) {
            throw new FormatException(file, -1, path + field, "the field is missing");
        }
    }

    private JsonPrimitive primitive(String field) throws FormatException {
        if (object.get(field) instanceof JsonPrimitive primitive) {
            return primitive;
        }
        throw wrong(field, "a plain value");
    }

    private static String excerpt(JsonElement element) {
        return Excerpt.of(element.toString(), 60);
    }
}
