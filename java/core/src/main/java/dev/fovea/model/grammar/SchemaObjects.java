package dev.fovea.model.grammar;

import static dev.fovea.model.grammar.Expression.literal;
import static dev.fovea.model.grammar.Expression.sequence;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.grammar.Expression.Except;
import dev.fovea.model.grammar.Expression.Member;
import dev.fovea.model.grammar.Expression.Members;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;

/** What schemas say about objects and arrays. */
final class SchemaObjects {
    private static final JsonPrimitive TRUE = new JsonPrimitive(true);
    private static final JsonPrimitive FALSE = new JsonPrimitive(false);

    private final JsonRules rules;
    private final BiFunction<JsonElement, String, Expression> schemas;

    /**
     * For a schema.
     *
     * @param schemas the values of a schema that is at a place
     */
    SchemaObjects(JsonRules rules, BiFunction<JsonElement, String, Expression> schemas) {
        this.rules = rules;
        this.schemas = schemas;
    }

    Expression object(JsonObject schema, String path) {
        JsonObject properties = properties(schema, path);
        Set<String> required = required(schema, path);
        JsonElement additional = schema.get("additionalProperties");
        boolean open = additional == null ? properties.isEmpty() : !additional.equals(FALSE);
        JsonElement others = additional == null ? TRUE : additional;
        requireCounts(schema, required.size(), open ? -1 : properties.size(), path);
        if (properties.isEmpty() && required.isEmpty() && open && others.equals(TRUE)) {
            return rules.anyObject();
        }
        List<Member> members = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>(properties.keySet());
        properties.entrySet().forEach(one -> {
            boolean never = one.getValue().equals(FALSE) && !required.contains(one.getKey());
            if (!never) {
                members.add(member(one.getKey(), schemas.apply(one.getValue(), path + "/properties/" + escaped(one.getKey())),
                        required.contains(one.getKey())));
            }
        });
        for (String name : required) {
            if (names.add(name)) {
                if (others.equals(FALSE)) {
                    throw SchemaDocument.error("required", path, "'" + Excerpt.of(name)
                            + "' is none of the properties, and additionalProperties is false");
                }
                members.add(member(name, schemas.apply(others, path + "/additionalProperties"), true));
            }
        }
        if (open) {
            Expression other = sequence(key(names), JsonRules.colon(), schemas.apply(others, path + "/additionalProperties"));
            members.add(new Member(rules.list(other, 1, -1), false));
        }
        return members.isEmpty() ? sequence(literal("{"), rules.space(), literal("}"))
                : rules.bracketed("{}", new Members(members, rules.comma()), required.isEmpty());
    }

    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    private static Member member(String name, Expression value, boolean required) {
        return new Member(sequence(literal('"' + JsonText.escaped(name) + '"'), JsonRules.colon(), value), required);
    }

    /** A key that is none of some. */
    private Expression key(Set<String> names) {
        List<String> spelled = names.stream().map(name -> '"' + JsonText.escaped(name) + '"').toList();
        return names.isEmpty() ? rules.anyString() : new Except(JsonText.string(0, -1), Expression.choice(spelled));
    }

    private static JsonObject properties(JsonObject schema, String path) {
        if (!schema.has("properties")) {
            return new JsonObject();
        }
        if (schema.get("properties") instanceof JsonObject properties) {
            return properties;
        }
        throw SchemaDocument.error("properties", path, "expected an object");
    }

    private static Set<String> required(JsonObject schema, String path) {
        Set<String> names = new LinkedHashSet<>();
        for (JsonElement name : schema.has("required") ? SchemaDocument.array(schema, "required", path) : new JsonArray()) {
            if (!(name instanceof JsonPrimitive primitive) || !primitive.isString()) {
                throw SchemaDocument.error("required", path, "expected names of properties, got " + Excerpt.of(name.toString()));
            }
            names.add(name.getAsString());
        }
        return names;
    }

    /** Numbers of properties are supported where they follow from the rest. */
    private static void requireCounts(JsonObject schema, int least, int most, String path) {
        if (JsonSchemaReader.count(schema, "minProperties", 0, path) > least) {
            throw SchemaDocument.error("minProperties", path, "not supported, but up to the number of required ones");
        }
        int allowed = JsonSchemaReader.count(schema, "maxProperties", Integer.MAX_VALUE, path);
        if (allowed < Integer.MAX_VALUE && (most < 0 || allowed < most)) {
            throw SchemaDocument.error("maxProperties", path, "not supported, but from the number of properties on");
        }
    }

    Expression array(JsonObject schema, String path) {
        String tuple = schema.has("prefixItems") ? "prefixItems" : schema.get("items") instanceof JsonArray ? "items" : null;
        JsonArray first = tuple == null ? new JsonArray() : SchemaDocument.array(schema, tuple, path);
        String rest = "items".equals(tuple) ? "additionalItems" : "items";
        JsonElement others = schema.has(rest) ? schema.get(rest) : TRUE;
        int most = JsonSchemaReader.count(schema, "maxItems", -1, path);
        int least = JsonSchemaReader.count(schema, "minItems", 0, path);
        if (JsonSchemaReader.isTrue(schema, "uniqueItems") && (most < 0 || most > 1)) {
            throw SchemaDocument.error("uniqueItems", path, "not supported");
        }
        if (others.equals(FALSE) || tuple != null && !schema.has(rest) && least <= first.size()) {
            most = most < 0 ? first.size() : Math.min(most, first.size());
        }
        // All items that have a schema of their own, though fewer would do.
        least = Math.max(least, most < 0 ? first.size() : Math.min(most, first.size()));
        if (most >= 0 && most < least) {
            return new Expression.Choice(List.of());
        }
        if (most == 0) {
            return sequence(literal("["), rules.space(), literal("]"));
        }
        if (first.isEmpty()) {
            return others.equals(TRUE) && least == 0 && most < 0 ? rules.anyArray()
                    : rules.bracketed("[]", rules.list(schemas.apply(others, path + "/" + rest), least, most), least == 0);
        }
        return rules.bracketed("[]", tuple(first, path + "/" + tuple, others, path + "/" + rest, least, most), false);
    }

    private Expression tuple(JsonArray first, String path, JsonElement others, String otherPath, int least, int most) {
        List<Expression> parts = new ArrayList<>();
        int size = most < 0 ? first.size() : Math.min(most, first.size());
        for (int i = 0; i < size; i++) {
            parts.add(sequence(i == 0 ? Expression.EMPTY : rules.comma(), schemas.apply(first.get(i), path + "/" + i)));
        }
        if (most < 0 || most > size) {
            parts.add(sequence(rules.comma(), schemas.apply(others, otherPath))
                    .times(Math.max(0, least - size), most < 0 ? -1 : most - size));
        }
        return new Expression.Sequence(parts);
    }
}
