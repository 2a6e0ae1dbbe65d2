package dev.fovea.internal.json;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.JsonSyntax;
import dev.fovea.internal.files.ReadableFile;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A JSON object in a model's file, with its fields read as what they must be. A field that is absent or null takes the
 * given default; every other surprise is a {@link FormatException} that names file, field and value.
 */
public final class JsonFile {
    /** Far above any configuration, far below what would hurt. */
    private static final long MAX_BYTES = 16 << 20;

    private final Path file;
    private final JsonObject object;

    private JsonFile(Path file, JsonObject object) {
        this.file = file;
        this.object = object;
    }

    /** Reads a file that holds one object. */
    public static JsonFile read(Path file) throws IOException {
        return of(file, "JSON", parse(file));
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
        return new JsonFile(file, element.getAsJsonObject());
    }

    /** The file. */
    public Path file() {
        return file;
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

    /** An object within this one. */
    public JsonFile object(String field) throws FormatException {
        requirePresent(field);
        return of(file, field, object.get(field));
    }

    /** How many fields it has. */
    public int size() {
        return object.size();
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

    /** Whether the field is an array. */
    public boolean isArray(String field) {
        return object.has(field) && object.get(field).isJsonArray();
    }

    /** The texts of an array. */
    public List<String> strings(String field) throws FormatException {
        requirePresent(field);
        List<String> texts = new ArrayList<>();
        if (!object.get(field).isJsonArray()) {
            throw wrong(field, "an array of strings");
        }
        for (JsonElement element : object.get(field).getAsJsonArray()) {
            if (!(element instanceof JsonPrimitive text && text.isString())) {
                throw wrong(field, "an array of strings");
            }
            texts.add(text.getAsString());
        }
        return texts;
    }

    /** The failure of a field whose value is not {@code expected}. */
    public FormatException wrong(String field, String expected) {
        return new FormatException(
                file, -1, field, "expected " + expected + ", got " + (has(field) ? excerpt(object.get(field)) : "nothing"));
    }

    private void requirePresent(String field) throws FormatException {
        if (!has(field)) {
            throw new FormatException(file, -1, field, "the field is missing");
        }
    }

    private JsonPrimitive primitive(String field) throws FormatException {
        if (object.get(field) instanceof JsonPrimitive primitive) {
            return primitive;
        }
        throw wrong(field, "a plain value");
    }

    private static String excerpt(JsonElement element) {
        String text = element.toString();
        return text.length() <= 60 ? text : text.substring(0, 57) + "...";
    }
}
