package dev.fovea.model.grammar;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;

/** Schemas of what is supported, at random. */
public final class RandomSchemas {
    private static final List<String> PATTERNS = List.of("^[a-z]{2,5}$", "^\\d{3}-\\d{4}$", "[xy)]", "^(a|bc)*$", "^\\S{1,4}\\s\\w$", "^[^\"\\\\]$",
            "^.{0,5}é$", "^[A-Z][a-z]*( [A-Z][a-z]*)?$", "^\\u00e9");
    /** Not email: the validator knows which top-level domains there are, and wants one of them. */
    private static final List<String> FORMATS = List.of("date", "time", "date-time", "uuid", "hostname", "ipv4", "ipv6", "uri");
    private static final List<String> NAMES = List.of("name", "id", "a", "ab", "abc", "é", "with \"quotes\"", "x/y~z", "中", "items", "$ref", "tags");

    private final Random random;
    private int definitions;

    public RandomSchemas(long seed) {
        random = new Random(seed);
    }

    /** A schema with its definitions. */
    public JsonObject next() {
        definitions = random.nextInt(3);
        JsonObject root = random.nextInt(4) == 0 ? any(3) : object(3);
        JsonObject defs = new JsonObject();
        for (int i = 0; i < definitions; i++) {
            JsonObject list = new JsonObject();
            // A list in nodes, which ends by null: a schema that names itself.
            JsonObject node = new JsonObject();
            node.addProperty("type", "object");
            JsonObject properties = new JsonObject();
            properties.add("value", scalar());
            properties.add("next", of("{\"anyOf\": [{\"type\": \"null\"}, {\"$ref\": \"#/$defs/d" + i + "\"}]}"));
            node.add("properties", properties);
            node.add("required", of("[\"value\"" + (random.nextBoolean() ? ", \"next\"" : "") + "]"));
            node.addProperty("additionalProperties", false);
            defs.add("d" + i, random.nextBoolean() ? node : scalar());
        }
        root.add("$defs", defs);
        return root;
    }

    private static JsonElement of(String json) {
        return com.google.gson.JsonParser.parseString(json);
    }

    private JsonObject any(int depth) {
        if (depth == 0) {
            return scalar();
        }
        List<Supplier<JsonObject>> kinds = List.of(this::scalar, this::scalar, this::scalar, () -> object(depth - 1), () -> array(depth - 1),
                () -> choices(depth - 1), this::values, this::reference, () -> all(depth - 1));
        return kinds.get(random.nextInt(kinds.size())).get();
    }

    private JsonObject reference() {
        JsonObject schema = new JsonObject();
        if (definitions == 0) {
            return scalar();
        }
        schema.addProperty("$ref", "#/$defs/d" + random.nextInt(definitions));
        schema.addProperty("description", "one of those");
        return schema;
    }

    private JsonObject all(int depth) {
        JsonObject schema = new JsonObject();
        JsonArray parts = new JsonArray();
        parts.add(of("{\"type\": \"object\", \"properties\": {\"one\": {\"type\": \"integer\", \"minimum\": 3}}, \"required\": [\"one\"]}"));
        JsonObject second = new JsonObject();
        JsonObject properties = new JsonObject();
        properties.add("two", any(depth));
        properties.add("one", of("{\"maximum\": 9}"));
        second.add("properties", properties);
        parts.add(second);
        schema.add("allOf", parts);
        return schema;
    }

    private JsonObject values() {
        return (JsonObject) of(List.of("{\"enum\": [\"red\", \"green\", 3, null, true, [1, {\"a\": \"b\\n\"}], 2.50]}", "{\"const\": \"é\\\"\"}",
                "{\"type\": [\"string\", \"null\"], \"enum\": [\"x\", 4, null]}", "{\"const\": {\"deep\": [1, 2]}}").get(random.nextInt(4)));
    }

    private JsonObject choices(int depth) {
        JsonObject schema = new JsonObject();
        JsonArray branches = new JsonArray();
        boolean one = random.nextBoolean();
        if (one) {
            for (String kind : List.of("cat", "dog")) {
                JsonObject branch = object(depth);
                branch.addProperty("type", "object");
                JsonObject properties = branch.getAsJsonObject("properties");
                properties.add("kind", of("{\"const\": \"" + kind + "\"}"));
                JsonArray required = branch.has("required") ? branch.getAsJsonArray("required") : new JsonArray();
                required.add("kind");
                branch.add("required", required);
                branches.add(branch);
            }
            branches.add(of("{\"type\": \"integer\", \"maximum\": 4}"));
        } else {
            for (int i = 0; i < 1 + random.nextInt(3); i++) {
                branches.add(any(depth));
            }
        }
        schema.add(one ? "oneOf" : "anyOf", branches);
        return schema;
    }

    private JsonObject object(int depth) {
        JsonObject schema = new JsonObject();
        schema.addProperty("type", "object");
        JsonObject properties = new JsonObject();
        JsonArray required = new JsonArray();
        for (String name : NAMES) {
            if (random.nextInt(4) == 0) {
                properties.add(name, any(depth));
                if (random.nextBoolean()) {
                    required.add(name);
                }
            }
        }
        schema.add("properties", properties);
        if (random.nextInt(6) == 0) {
            required.add("unnamed");
            schema.add("additionalProperties", random.nextBoolean() ? scalar() : new JsonPrimitive(true));
        } else if (random.nextInt(3) > 0) {
            schema.add("additionalProperties", random.nextInt(3) == 0 ? scalar() : new JsonPrimitive(false));
        }
        if (!required.isEmpty() || random.nextBoolean()) {
            schema.add("required", required);
        }
        return schema;
    }

    private JsonObject array(int depth) {
        JsonObject schema = new JsonObject();
        schema.addProperty("type", "array");
        if (random.nextInt(3) == 0) {
            JsonArray first = new JsonArray();
            for (int i = 0; i < 1 + random.nextInt(3); i++) {
                first.add(any(depth));
            }
            schema.add("prefixItems", first);
            schema.add("items", random.nextBoolean() ? new JsonPrimitive(false) : scalar());
        } else {
            schema.add("items", any(depth));
            if (random.nextBoolean()) {
                schema.addProperty("minItems", random.nextInt(3));
            }
        }
        if (random.nextBoolean()) {
            schema.addProperty("maxItems", 3 + random.nextInt(3));
        }
        return schema;
    }

    private JsonObject scalar() {
        JsonObject schema = new JsonObject();
        switch (random.nextInt(9)) {
            case 0 -> schema.addProperty("type", "boolean");
            case 1 -> schema.addProperty("type", "null");
            case 2, 3 -> number(schema, true);
            case 4, 5 -> number(schema, false);
            case 6 -> {
                schema.addProperty("type", "string");
                schema.addProperty("format", FORMATS.get(random.nextInt(FORMATS.size())));
            }
            case 7 -> {
                schema.addProperty("type", "string");
                schema.addProperty("pattern", PATTERNS.get(random.nextInt(PATTERNS.size())));
                if (random.nextInt(4) == 0) {
                    schema.addProperty("maxLength", 12);
                }
            }
            default -> {
                schema.add("type", random.nextBoolean() ? new JsonPrimitive("string") : of("[\"string\", \"integer\", \"null\"]"));
                if (random.nextBoolean()) {
                    schema.addProperty("minLength", random.nextInt(4));
                    schema.addProperty("maxLength", 4 + random.nextInt(9));
                }
            }
        }
        return schema;
    }

    private void number(JsonObject schema, boolean whole) {
        schema.addProperty("type", whole ? "integer" : "number");
        if (random.nextBoolean()) {
            schema.add(random.nextInt(3) == 0 ? "exclusiveMinimum" : "minimum", bound(-1));
        }
        if (random.nextBoolean()) {
            schema.add(random.nextInt(3) == 0 ? "exclusiveMaximum" : "maximum", bound(1));
        }
    }

    private JsonPrimitive bound(int sign) {
        int digits = random.nextInt(4);
        BigDecimal least = BigDecimal.valueOf(random.nextInt(2000) - 1000L, digits);
        return new JsonPrimitive(sign < 0 ? least : least.add(BigDecimal.valueOf(2000)));
    }
}
