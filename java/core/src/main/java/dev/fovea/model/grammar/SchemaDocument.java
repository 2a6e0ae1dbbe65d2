package dev.fovea.model.grammar;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonToken;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.JsonSyntax;
import java.io.IOException;
import java.io.StringReader;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A JSON schema as a whole: what its references name, and schemas that hold at once put into one. */
final class SchemaDocument {
    private static final int MOST_CHARS = 1 << 20;
    private static final int MOST_DEPTH = 64;

    /** Keywords that say nothing about values. */
    private static final Set<String> NOTES = Set.of("title", "description", "default", "examples", "example", "$schema", "$id",
            "$comment", "deprecated", "readOnly", "writeOnly", "$defs", "definitions", "discriminator", "externalDocs", "xml");
    /** Keywords that are read. */
    private static final Set<String> KNOWN = Set.of("type", "nullable", "enum", "const", "properties", "required",
            "additionalProperties", "minProperties", "maxProperties", "items", "prefixItems", "additionalItems", "minItems",
            "maxItems", "uniqueItems", "minLength", "maxLength", "pattern", "format", "minimum", "maximum", "exclusiveMinimum",
            "exclusiveMaximum", "multipleOf", "anyOf", "oneOf", "allOf", "$ref");
    private static final Set<String> LEAST = Set.of("minimum", "minLength", "minItems", "minProperties");
    private static final Set<String> MOST = Set.of("maximum", "maxLength", "maxItems", "maxProperties");

    /** What schemas that hold at once may take of work, as they may name each other again and again. */
    private static final int MOST_MERGES = 1 << 14;

    private final JsonElement root;
    private int merges;

    private SchemaDocument(JsonElement root) {
        this.root = root;
    }

    static SchemaDocument parse(String text) {
        if (text.length() > MOST_CHARS) {
            throw new IllegalArgumentException("expected a schema of at most " + MOST_CHARS + " chars, got " + text.length());
        }
        try {
            var reader = JsonSyntax.strict(new StringReader(text));
            JsonElement root = JsonParser.parseReader(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw new IllegalArgumentException("a schema: not valid JSON: something follows the value");
            }
            return new SchemaDocument(root);
        } catch (IOException | JsonParseException e) {
            throw new IllegalArgumentException("a schema: " + JsonSyntax.problem(e), e);
        }
    }

    JsonElement root() {
        return root;
    }

    /** What is wrong with a keyword. */
    static IllegalArgumentException error(String keyword, String path, String problem) {
        String place = path.replace(JsonSchemaReader.MERGED, "");
        return new IllegalArgumentException("the keyword '" + Excerpt.of(keyword) + "' of the schema at '#" + Excerpt.of(place)
                + "': " + problem);
    }

    /** Whether a keyword says nothing about values. */
    static boolean isNote(String keyword) {
        return NOTES.contains(keyword) || keyword.startsWith("x-");
    }

    /** Refuses keywords that are not read. */
    static void requireKnown(JsonObject schema, String path) {
        for (String keyword : schema.keySet()) {
            if (!isNote(keyword) && !KNOWN.contains(keyword)) {
                throw error(keyword, path, "not supported");
            }
        }
    }

    /** Whether there is a keyword that says something about values, beside some. */
    static boolean says(JsonObject schema, String... beside) {
        return schema.keySet().stream().anyMatch(keyword -> !isNote(keyword) && !List.of(beside).contains(keyword));
    }

    /** The pointer of a reference into this document. */
    static String pointer(JsonObject schema, String path) {
        if (!(schema.get("$ref") instanceof JsonPrimitive primitive) || !primitive.isString()
                || !primitive.getAsString().matches("#(/.*)?")) {
            throw error("$ref", path, "expected a pointer into the schema, such as #/$defs/name, got "
                    + Excerpt.of(String.valueOf(schema.get("$ref"))));
        }
        return primitive.getAsString().substring(1);
    }

    /** What a pointer leads to: RFC 6901. */
    JsonElement resolve(String pointer, String path) {
        JsonElement at = root;
        for (String step : pointer.isEmpty() ? new String[0] : pointer.substring(1).split("/", -1)) {
            String name = decoded(step).replace("~1", "/").replace("~0", "~");
            JsonElement next = null;
            if (at instanceof JsonObject object) {
                next = object.get(name);
            } else if (at instanceof JsonArray array && name.matches("0|[1-9]\\d{0,8}") && Integer.parseInt(name) < array.size()) {
                next = array.get(Integer.parseInt(name));
            }
            if (next == null) {
                throw error("$ref", path, "there is no #" + Excerpt.of(pointer));
            }
            at = next;
        }
        return at;
    }

    private static String decoded(String step) {
        return step.contains("%") ? URLDecoder.decode(step.replace("+", "%2B"), StandardCharsets.UTF_8) : step;
    }

    /** One schema without references and {@code allOf}, its own: what all of them say. */
    JsonObject flat(JsonElement schema, String path, int depth) {
        if (depth > MOST_DEPTH) {
            throw error("$ref", path, "schemas that hold at once, to a depth of more than " + MOST_DEPTH);
        }
        JsonObject object = object(schema, path);
        requireKnown(object, path);
        if (!object.has("$ref") && !object.has("allOf")) {
            return object;
        }
        JsonObject flat = new JsonObject();
        object.entrySet().forEach(entry -> {
            if (!entry.getKey().equals("$ref") && !entry.getKey().equals("allOf")) {
                flat.add(entry.getKey(), entry.getValue());
            }
        });
        JsonObject merged = flat;
        if (object.has("$ref")) {
            merged = merge(flat(resolve(pointer(object, path), path), path, depth + 1), merged, path, depth);
        }
        if (object.has("allOf")) {
            for (JsonElement one : array(object, "allOf", path)) {
                merged = merge(merged, flat(one, path, depth + 1), path, depth);
            }
        }
        return merged;
    }

    /** A schema as an object; {@code true} is one that says nothing. */
    static JsonObject object(JsonElement schema, String path) {
        if (schema instanceof JsonPrimitive primitive && primitive.isBoolean() && primitive.getAsBoolean()) {
            return new JsonObject();
        }
        if (schema instanceof JsonObject object) {
            return object;
        }
        throw error("", path, "expected an object, got " + Excerpt.of(String.valueOf(schema)));
    }

    static JsonArray array(JsonObject schema, String keyword, String path) {
        if (schema.get(keyword) instanceof JsonArray array) {
            return array;
        }
        throw error(keyword, path, "expected an array, got " + Excerpt.of(String.valueOf(schema.get(keyword))));
    }

    /** A copy whose values are the same. */
    static JsonObject copy(JsonObject object) {
        JsonObject copy = new JsonObject();
        object.entrySet().forEach(entry -> copy.add(entry.getKey(), entry.getValue()));
        return copy;
    }

    /** What two schemas say at once. */
    JsonObject merge(JsonObject one, JsonObject other, String path, int depth) {
        if (++merges > MOST_MERGES) {
            throw error("allOf", path, "more than " + MOST_MERGES + " schemas that hold at once");
        }
        requireSameAdditional(one, other, path);
        requireSameAdditional(other, one, path);
        JsonObject merged = copy(one);
        for (Map.Entry<String, JsonElement> entry : other.entrySet()) {
            String keyword = entry.getKey();
            JsonElement mine = merged.get(keyword);
            if (mine == null) {
                merged.add(keyword, entry.getValue());
            } else if (!isNote(keyword) && !mine.equals(entry.getValue())) {
                merged.add(keyword, both(keyword, mine, entry.getValue(), path, depth));
            }
        }
        if (one.has("type") && other.has("type") && merged.has("nullable")
                && !(JsonSchemaReader.types(one, path).contains("null") && JsonSchemaReader.types(other, path).contains("null"))) {
            merged.remove("nullable");
        }
        return merged;
    }

    /** What one says about properties that are not its own would hold for those of the other. */
    private static void requireSameAdditional(JsonObject one, JsonObject other, String path) {
        JsonElement additional = one.get("additionalProperties");
        if (additional != null && !additional.equals(new JsonPrimitive(true))
                && other.get("properties") instanceof JsonObject theirs) {
            JsonObject mine = one.get("properties") instanceof JsonObject own ? own : new JsonObject();
            if (!mine.keySet().containsAll(theirs.keySet())) {
                throw error("additionalProperties", path, "not supported where another schema that holds has more");
            }
        }
    }

    private JsonElement both(String keyword, JsonElement mine, JsonElement other, String path, int depth) {
        if (LEAST.contains(keyword) || MOST.contains(keyword)) {
            BigDecimal a = JsonSchemaReader.decimal(keyword, mine, path);
            BigDecimal b = JsonSchemaReader.decimal(keyword, other, path);
            return new JsonPrimitive(LEAST.contains(keyword) ? a.max(b) : a.min(b));
        }
        if (keyword.equals("required") && mine instanceof JsonArray a && other instanceof JsonArray b) {
            Set<JsonElement> all = new LinkedHashSet<>(a.asList());
            all.addAll(b.asList());
            JsonArray union = new JsonArray();
            all.forEach(union::add);
            return union;
        }
        if (keyword.equals("properties") && mine instanceof JsonObject a && other instanceof JsonObject b) {
            JsonObject all = copy(a);
            for (Map.Entry<String, JsonElement> entry : b.entrySet()) {
                JsonElement first = a.get(entry.getKey());
                all.add(entry.getKey(), first == null ? entry.getValue()
                        : merge(flat(first, path, depth + 1), flat(entry.getValue(), path, depth + 1), path, depth + 1));
            }
            return all;
        }
        if (keyword.equals("enum") && mine instanceof JsonArray a && other instanceof JsonArray b) {
            JsonArray some = new JsonArray();
            a.forEach(value -> {
                if (b.contains(value)) {
                    some.add(value);
                }
            });
            return some;
        }
        if (keyword.equals("type")) {
            return types(mine, other, path);
        }
        throw error(keyword, path, "not supported twice, in schemas that hold at once");
    }

    /** The types that both name. An integer is a number. */
    private static JsonArray types(JsonElement mine, JsonElement other, String path) {
        Set<String> a = names(mine, path);
        Set<String> b = names(other, path);
        JsonArray both = new JsonArray();
        a.stream().filter(type -> b.contains(type) || type.equals("integer") && b.contains("number")).forEach(both::add);
        b.stream().filter(type -> !a.contains(type) && type.equals("integer") && a.contains("number")).forEach(both::add);
        return both;
    }

    private static Set<String> names(JsonElement type, String path) {
        JsonObject schema = new JsonObject();
        schema.add("type", type);
        return JsonSchemaReader.types(schema, path);
    }
}
