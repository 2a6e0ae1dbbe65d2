package dev.fovea.model.grammar;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Whether no value is valid by two schemas at once, as far as that can be seen: by their types, by values that they list, or
 * by a property that tells them apart.
 */
final class SchemaDisjointness {
    private static final int MOST_DEPTH = 8;
    private static final int MOST_BRANCHES = 256;

    private static final int MOST_PAIRS = 1 << 18;

    private final SchemaDocument document;
    private int pairs;

    SchemaDisjointness(SchemaDocument document) {
        this.document = document;
    }

    /** Refuses branches of {@code oneOf} of which two may hold. */
    void require(JsonArray branches, String path) {
        if (branches.size() > MOST_BRANCHES) {
            throw SchemaDocument.error("oneOf", path, "expected at most " + MOST_BRANCHES + " schemas, got " + branches.size());
        }
        List<JsonObject> flat = new ArrayList<>();
        branches.forEach(branch -> flat.add(document.flat(branch, path, 0)));
        for (int i = 0; i < flat.size(); i++) {
            for (int k = 0; k < i; k++) {
                if (!areDisjoint(flat.get(k), flat.get(i), path, 0)) {
                    throw SchemaDocument.error("oneOf", path, "supported where types, values or a required property tell the"
                            + " schemas apart, not those with the indices " + k + " and " + i + "; anyOf may do");
                }
            }
        }
    }

    private boolean areDisjoint(JsonObject one, JsonObject other, String path, int depth) {
        if (++pairs > MOST_PAIRS) {
            throw SchemaDocument.error("oneOf", path, "more than " + MOST_PAIRS + " schemas to compare");
        }
        List<JsonElement> values = values(one);
        List<JsonElement> others = values(other);
        if (values != null && others != null) {
            return values.stream().noneMatch(a -> others.stream().anyMatch(b -> same(a, b)));
        }
        Set<String> types = JsonSchemaReader.types(one, path);
        Set<String> otherTypes = JsonSchemaReader.types(other, path);
        if (values != null || others != null) {
            Set<String> only = values != null ? otherTypes : types;
            return only != null && (values != null ? values : others).stream().noneMatch(value -> isOf(value, only));
        }
        if (types == null || otherTypes == null) {
            return false;
        }
        if (types.stream().noneMatch(a -> otherTypes.stream().anyMatch(b -> overlap(a, b)))) {
            return true;
        }
        return types.equals(Set.of("object")) && otherTypes.equals(Set.of("object")) && depth < MOST_DEPTH
                && (propertyTells(one, other, path, depth) || forbids(one, other) || forbids(other, one));
    }

    private static boolean overlap(String one, String other) {
        return one.equals(other) || Set.of("integer", "number").containsAll(Set.of(one).contains(other) ? Set.of(one)
                : Set.of(one, other));
    }

    private boolean propertyTells(JsonObject one, JsonObject other, String path, int depth) {
        if (!(one.get("properties") instanceof JsonObject mine) || !(other.get("properties") instanceof JsonObject theirs)) {
            return false;
        }
        for (String name : mine.keySet()) {
            if (theirs.has(name) && requires(one, name) && requires(other, name)
                    && mine.get(name) instanceof JsonObject && theirs.get(name) instanceof JsonObject
                    && areDisjoint(document.flat(mine.get(name), path, depth), document.flat(theirs.get(name), path, depth), path,
                            depth + 1)) {
                return true;
            }
        }
        return false;
    }

    /** Whether one requires a property that the other does not allow. */
    private static boolean forbids(JsonObject one, JsonObject other) {
        return other.get("additionalProperties") instanceof JsonPrimitive additional && additional.isBoolean()
                && !additional.getAsBoolean() && one.get("required") instanceof JsonArray required
                && required.asList().stream().anyMatch(name -> !(other.get("properties") instanceof JsonObject properties)
                        || !properties.has(name.getAsString()));
    }

    private static boolean requires(JsonObject schema, String name) {
        return schema.get("required") instanceof JsonArray required && required.contains(new JsonPrimitive(name));
    }

    private static List<JsonElement> values(JsonObject schema) {
        return schema.has("const") ? List.of(schema.get("const"))
                : schema.get("enum") instanceof JsonArray array ? array.asList() : null;
    }

    private static boolean same(JsonElement a, JsonElement b) {
        if (isNumber(a) && isNumber(b)) {
            return a.getAsDouble() == b.getAsDouble(); // those that are too near to tell count as the same
        }
        // Within arrays and objects numbers may be spelled in several ways.
        return a.equals(b) || !(a instanceof JsonPrimitive) && a.getClass() == b.getClass();
    }

    private static boolean isNumber(JsonElement value) {
        return value instanceof JsonPrimitive primitive && primitive.isNumber();
    }

    /** Whether a value is of one of some types. */
    static boolean isOf(JsonElement value, Set<String> types) {
        return switch (value) {
            case JsonNull _ -> types.contains("null");
            case JsonArray _ -> types.contains("array");
            case JsonObject _ -> types.contains("object");
            case JsonPrimitive primitive when primitive.isString() -> types.contains("string");
            case JsonPrimitive primitive when primitive.isBoolean() -> types.contains("boolean");
            default -> types.contains("number") || types.contains("integer") && isWhole(value.getAsDouble());
        };
    }

    private static boolean isWhole(double number) {
        return number == Math.rint(number);
    }
}
