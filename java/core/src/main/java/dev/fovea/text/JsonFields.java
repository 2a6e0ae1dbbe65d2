package dev.fovea.text;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.weights.FormatException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * An object inside a JSON file, whose members must be of the expected kind. What is wrong becomes a
 * {@link FormatException} that names the member by its path.
 */
final class JsonFields {
    private final Path file;
    private final String path;
    private final JsonObject object;

    private JsonFields(Path file, String path, JsonObject object) {
        this.file = file;
        this.path = path;
        this.object = object;
    }

    /** The object that {@code element}, found at {@code path}, must be. */
    static JsonFields of(Path file, String path, JsonElement element) throws FormatException {
        if (!element.isJsonObject()) {
            throw new FormatException(file, -1, path, "expected an object, got " + brief(element));
        }
        return new JsonFields(file, path, element.getAsJsonObject());
    }

    JsonObject json() {
        return object;
    }

    String path(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    /** Whether there is a value other than {@code null}. */
    boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    JsonFields object(String key) throws FormatException {
        return of(file, path(key), get(key));
    }

    List<JsonFields> objects(String key) throws FormatException {
        List<JsonFields> objects = new ArrayList<>();
        for (JsonElement element : elements(key)) {
            objects.add(of(file, path(key) + "[" + objects.size() + "]", element));
        }
        return objects;
    }

    String string(String key) throws FormatException {
        if (get(key) instanceof JsonPrimitive primitive && primitive.isString()) {
            return primitive.getAsString();
        }
        throw unexpected(key, "text");
    }

    /** A finite number. */
    double number(String key) throws FormatException {
        if (get(key) instanceof JsonPrimitive primitive && primitive.isNumber()
                && Double.isFinite(primitive.getAsDouble())) {
            return primitive.getAsDouble();
        }
        throw unexpected(key, "a number");
    }

    boolean flag(String key) throws FormatException {
        if (get(key) instanceof JsonPrimitive primitive && primitive.isBoolean()) {
            return primitive.getAsBoolean();
        }
        throw unexpected(key, "true or false");
    }

    /** An integer from 0 to {@code max}. */
    int integer(String key, int max) throws FormatException {
        return integer(key, get(key), max);
    }

    /** An array of integers from 0 to {@code max}. */
    List<Integer> integers(String key, int max) throws FormatException {
        List<Integer> integers = new ArrayList<>();
        for (JsonElement element : elements(key)) {
            integers.add(integer(key, element, max));
        }
        return integers;
    }

    /** The integer of an array {@code ["name", integer]}. */
    int namedInteger(String key, int max) throws FormatException {
        return integer(key, named(key).get(1), max);
    }

    /** The name of an array {@code ["name", integer]}. */
    String nameOf(String key) throws FormatException {
        if (named(key).get(0) instanceof JsonPrimitive primitive && primitive.isString()) {
            return primitive.getAsString();
        }
        throw error(key, "expected a name and an integer, got " + brief(named(key).get(0)));
    }

    private JsonArray named(String key) throws FormatException {
        JsonArray pair = elements(key);
        if (pair.size() != 2) {
            throw error(key, "expected a name and an integer, got " + pair.size() + " values");
        }
        return pair;
    }

    FormatException error(String key, String problem) {
        return new FormatException(file, -1, path(key), problem);
    }

    private int integer(String key, JsonElement element, int max) throws FormatException {
        if (element instanceof JsonPrimitive primitive && primitive.isNumber()) {
            String digits = primitive.getAsString();
            if (digits.length() <= 10 && isDecimal(digits) && Long.parseLong(digits) <= max) {
                return (int) Long.parseLong(digits);
            }
        }
        throw error(key, "expected an integer from 0 to " + max + ", got " + brief(element));
    }

    private static boolean isDecimal(String number) {
        for (int i = 0; i < number.length(); i++) {
            if (number.charAt(i) < '0' || number.charAt(i) > '9') {
                return false;
            }
        }
        return true;
    }

    /** The elements of an array. */
    JsonArray elements(String key) throws FormatException {
        JsonElement element = get(key);
        if (!element.isJsonArray()) {
            throw unexpected(key, "an array");
        }
        return element.getAsJsonArray();
    }

    private JsonElement get(String key) throws FormatException {
        JsonElement element = object.get(key);
        if (element == null) {
            throw error(key, "missing");
        }
        return element;
    }

    private FormatException unexpected(String key, String expected) throws FormatException {
        return error(key, "expected " + expected + ", got " + brief(get(key)));
    }

    private static String brief(JsonElement element) {
        if (element.isJsonObject()) {
            return "an object";
        }
        if (element.isJsonArray()) {
            return "an array";
        }
        String text = element.toString();
        return text.length() <= 40 ? text : text.substring(0, 40) + "…";
    }
}
