package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.grammar.Expression.Choice;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * JSON schemas as grammars of the texts that are valid by them: not all, but nothing else. Properties come in the order of
 * the schema, numbers have so many digits, and what no keyword asks for is left out. A keyword that is not supported is
 * refused by its name.
 */
final class JsonSchemaReader {
    /** In the names of rules of schemas that were put together, which no pointer leads to. */
    static final String MERGED = "\u0000";

    private static final int MOST_DEPTH = 200;
    private static final Expression NEVER = new Choice(List.of());
    private static final BigDecimal INT_LEAST = BigDecimal.valueOf(Integer.MIN_VALUE);
    private static final BigDecimal INT_MOST = BigDecimal.valueOf(Integer.MAX_VALUE);

    private final SchemaDocument document;
    private final JsonRules rules;
    /** What the names of its rules begin with: pointers are those of one schema. */
    private final String prefix;
    private int depth;

    private JsonSchemaReader(SchemaDocument document, JsonRules rules, String prefix) {
        this.document = document;
        this.rules = rules;
        this.prefix = prefix;
    }

    /**
     * Reads a schema.
     *
     * @throws IllegalArgumentException if it is none, or has what is not supported
     */
    static Grammar read(String schema) {
        var rules = new JsonRules();
        values(schema, rules, "");
        return rules.grammar();
    }

    /** The values of a schema, in rules whose names begin so. */
    static Expression values(String schema, JsonRules rules, String prefix) {
        var reader = new JsonSchemaReader(SchemaDocument.parse(schema), rules, prefix);
        return reader.of(reader.document.root(), "");
    }

    /**
     * Those values of a schema that are objects.
     *
     * @throws IllegalArgumentException also if the schema's types say that there is none
     */
    static Expression objects(String schema, JsonRules rules, String prefix) {
        var reader = new JsonSchemaReader(SchemaDocument.parse(schema), rules, prefix);
        JsonObject flat = SchemaDocument.copy(reader.document.flat(reader.document.root(), "", 0));
        Set<String> types = types(flat, "");
        if (types != null && !types.contains("object")) {
            throw SchemaDocument.error("type", "", "expected object, got " + Excerpt.of(String.valueOf(flat.get("type"))));
        }
        flat.addProperty("type", "object");
        flat.remove("nullable");
        return reader.of(flat, MERGED);
    }

    /** The values of a schema, as a rule. */
    private Expression of(JsonElement schema, String path) {
        if (++depth > MOST_DEPTH) {
            throw SchemaDocument.error("$ref", path, "schemas within each other to a depth of more than " + MOST_DEPTH);
        }
        Expression rule = rules.rule(prefix + path, () -> expression(schema, path));
        depth--;
        return rule;
    }

    private Expression expression(JsonElement schema, String path) {
        if (schema instanceof JsonPrimitive primitive && primitive.isBoolean() && !primitive.getAsBoolean()) {
            return NEVER;
        }
        JsonObject object = SchemaDocument.object(schema, path);
        SchemaDocument.requireKnown(object, path);
        if (object.has("$ref") && !SchemaDocument.says(object, "$ref")) {
            String pointer = SchemaDocument.pointer(object, path);
            return of(document.resolve(pointer, path), pointer);
        }
        if (object.has("$ref") || object.has("allOf")) {
            return expression(document.flat(object, path, 0), path + MERGED);
        }
        for (String keyword : List.of("anyOf", "oneOf")) {
            if (object.has(keyword)) {
                return any(object, keyword, path);
            }
        }
        return object.has("const") || object.has("enum") ? values(object, path) : typed(object, path);
    }

    private Expression any(JsonObject object, String keyword, String path) {
        JsonArray branches = SchemaDocument.array(object, keyword, path);
        JsonObject rest = SchemaDocument.copy(object);
        rest.remove(keyword);
        if (keyword.equals("oneOf")) {
            new SchemaDisjointness(document).require(branches, path);
        }
        List<Expression> parts = new ArrayList<>();
        for (int i = 0; i < branches.size(); i++) {
            String place = path + "/" + keyword + "/" + i;
            parts.add(!SchemaDocument.says(rest) ? of(branches.get(i), place)
                    : of(document.merge(rest, document.flat(branches.get(i), place, 0), place, 0), place + MERGED));
        }
        return new Choice(parts);
    }

    private Expression values(JsonObject object, String path) {
        if (SchemaDocument.says(object, "const", "enum", "type", "nullable", "format")) {
            throw SchemaDocument.error(object.has("const") ? "const" : "enum", path, "not supported beside "
                    + Excerpt.of(String.join(", ", object.keySet())) + ", other than type");
        }
        JsonArray all = new JsonArray();
        if (object.has("enum")) {
            all = SchemaDocument.array(object, "enum", path);
        } else {
            all.add(object.get("const"));
        }
        Set<String> types = types(object, path);
        List<String> texts = new ArrayList<>();
        for (JsonElement value : all) {
            boolean isConst = !object.has("const") || value.equals(object.get("const"));
            if (isConst && (types == null || SchemaDisjointness.isOf(value, types))) {
                texts.add(JsonText.spelled(value));
            }
        }
        return Expression.choice(texts);
    }

    /** The names of types; null if there is nothing about it. */
    static Set<String> types(JsonObject object, String path) {
        if (!object.has("type")) {
            return null;
        }
        Set<String> types = new LinkedHashSet<>();
        JsonElement type = object.get("type");
        for (JsonElement one : type instanceof JsonArray array ? array.asList() : List.of(type)) {
            if (!(one instanceof JsonPrimitive primitive) || !primitive.isString() || !List.of("object", "array", "string",
                    "number", "integer", "boolean", "null").contains(primitive.getAsString())) {
                throw SchemaDocument.error("type", path, "expected the name of a type, got " + Excerpt.of(String.valueOf(one)));
            }
            types.add(primitive.getAsString());
        }
        if (object.get("nullable") instanceof JsonPrimitive nullable && nullable.isBoolean() && nullable.getAsBoolean()) {
            types.add("null");
        }
        return types;
    }

    /** The types that are written: where nothing is said, those that keywords are about. Null for all. */
    static Set<String> written(JsonObject object, String path) {
        Set<String> said = types(object, path);
        if (said != null) {
            return said;
        }
        if (has(object, "properties", "required", "additionalProperties", "minProperties", "maxProperties")) {
            return Set.of("object");
        }
        if (has(object, "items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems")) {
            return Set.of("array");
        }
        if (has(object, "minLength", "maxLength", "pattern", "format")) {
            return Set.of("string");
        }
        return has(object, "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf") ? Set.of("number") : null;
    }

    private static boolean has(JsonObject object, String... keywords) {
        return List.of(keywords).stream().anyMatch(object::has);
    }

    private Expression typed(JsonObject object, String path) {
        Set<String> types = written(object, path);
        if (types == null) {
            return rules.anyValue();
        }
        List<Expression> parts = new ArrayList<>();
        for (String type : types) {
            parts.add(switch (type) {
                case "object" -> new SchemaObjects(rules, this::of).object(object, path);
                case "array" -> new SchemaObjects(rules, this::of).array(object, path);
                case "string" -> string(object, path);
                case "boolean" -> rules.anyBoolean();
                case "null" -> literal("null");
                default -> number(object, path, type.equals("integer"));
            });
        }
        return parts.size() == 1 ? parts.getFirst() : new Choice(parts);
    }

    private Expression string(JsonObject object, String path) {
        if (!has(object, "minLength", "maxLength", "pattern", "format")) {
            return rules.anyString();
        }
        int least = count(object, "minLength", 0, path);
        int most = count(object, "maxLength", -1, path);
        if (most >= 0 && most < least) {
            return NEVER;
        }
        String pattern = text(object, "pattern", path);
        String format = text(object, "format", path);
        try {
            return SchemaStrings.of(least, most, pattern, format);
        } catch (IllegalArgumentException e) {
            throw SchemaDocument.error(pattern != null ? "pattern" : format != null ? "format" : "maxLength", path, e.getMessage());
        }
    }

    private static String text(JsonObject object, String keyword, String path) {
        JsonElement value = object.get(keyword);
        if (value == null || value instanceof JsonPrimitive primitive && primitive.isString()) {
            return value == null ? null : value.getAsString();
        }
        throw SchemaDocument.error(keyword, path, "expected a text, got " + Excerpt.of(String.valueOf(value)));
    }

    /** A number of things; {@code absent} if nothing is said. */
    static int count(JsonObject object, String keyword, int absent, String path) {
        BigDecimal value = decimal(object, keyword, path);
        if (value == null) {
            return absent;
        }
        if (value.signum() < 0 || value.compareTo(INT_MOST) > 0 || value.compareTo(BigDecimal.valueOf(value.intValue())) != 0) {
            throw SchemaDocument.error(keyword, path, "expected a whole number from 0 to " + INT_MOST + ", got "
                    + Excerpt.of(value.toString()));
        }
        return value.intValue();
    }

    private static BigDecimal decimal(JsonObject object, String keyword, String path) {
        return object.has(keyword) ? decimal(keyword, object.get(keyword), path) : null;
    }

    /** A number of not so many digits that it would be work. */
    static BigDecimal decimal(String keyword, JsonElement value, String path) {
        if (!(value instanceof JsonPrimitive primitive) || !primitive.isNumber()
                || !value.getAsString().matches("[^eE]{1,100}([eE][+-]?\\d{1,2})?")) {
            throw SchemaDocument.error(keyword, path, "expected a number of at most 100 digits, got "
                    + Excerpt.of(String.valueOf(value)));
        }
        return value.getAsBigDecimal();
    }

    private Expression number(JsonObject object, String path, boolean whole) {
        BigDecimal multiple = decimal(object, "multipleOf", path);
        if (multiple != null && !(whole && multiple.compareTo(BigDecimal.ONE) == 0)) {
            throw SchemaDocument.error("multipleOf", path, "not supported");
        }
        BigDecimal least = decimal(object, "minimum", path);
        BigDecimal most = decimal(object, "maximum", path);
        boolean above = isTrue(object, "exclusiveMinimum");
        boolean below = isTrue(object, "exclusiveMaximum");
        BigDecimal lower = isBoolean(object, "exclusiveMinimum") ? null : decimal(object, "exclusiveMinimum", path);
        if (lower != null && (least == null || lower.compareTo(least) >= 0)) {
            least = lower;
            above = true;
        }
        BigDecimal upper = isBoolean(object, "exclusiveMaximum") ? null : decimal(object, "exclusiveMaximum", path);
        if (upper != null && (most == null || upper.compareTo(most) <= 0)) {
            most = upper;
            below = true;
        }
        String format = text(object, "format", path);
        if (format != null && !List.of("int32", "int64", "float", "double").contains(format)) {
            throw SchemaDocument.error("format", path, "'" + Excerpt.of(format) + "' of a number is not supported");
        }
        if ("int32".equals(format)) {
            above &= least != null && least.compareTo(INT_LEAST) >= 0;
            below &= most != null && most.compareTo(INT_MOST) <= 0;
            least = least == null ? INT_LEAST : least.max(INT_LEAST);
            most = most == null ? INT_MOST : most.min(INT_MOST);
        }
        var bounds = new JsonNumbers.Bounds(least, above, most, below);
        if (bounds.equals(JsonNumbers.Bounds.NONE)) {
            return whole ? rules.anyInteger() : rules.anyNumber();
        }
        return whole ? JsonNumbers.integers(bounds) : JsonNumbers.numbers(bounds);
    }

    private static boolean isBoolean(JsonObject object, String keyword) {
        return object.get(keyword) instanceof JsonPrimitive primitive && primitive.isBoolean();
    }

    static boolean isTrue(JsonObject object, String keyword) {
        return isBoolean(object, keyword) && object.get(keyword).getAsBoolean();
    }
}
