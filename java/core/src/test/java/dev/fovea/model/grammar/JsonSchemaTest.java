package dev.fovea.model.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What schemas let be written, keyword by keyword, and what is refused by its name. */
class JsonSchemaTest {
    static Stream<Arguments> schemas() {
        return Stream.of(
                of("true", List.of("1", "{\"a\":[null, true]}", "\"\\u00e9\\uD83D\\uDE00\"", "[]", "-1.5e-3", "{\n  \"a\": 1\n}"),
                        List.of("", "01", "[1,]", "\"\\uD83D\"", "\"\n\"", "{a:1}", "nul", "1 ", " 1", "\"\\x\"")),
                of("{\"type\": [\"integer\", \"null\"]}", List.of("0", "-7", "null", "123456789012345678"), List.of("1.0", "\"1\"", "-", "00")),
                of("{\"type\": \"string\", \"nullable\": true}", List.of("null", "\"x\""), List.of("1")),
                of("{\"type\": \"string\", \"minLength\": 2, \"maxLength\": 3}", List.of("\"ab\"", "\"中é😀\"", "\"\\n\\\"\"", "\"\\u0001/\""),
                        List.of("\"a\"", "\"abcd\"", "\"\\u00e9a\"")),
                of("{\"type\": \"string\", \"pattern\": \"^a.c$\", \"maxLength\": 5}", List.of("\"abc\"", "\"a\\\"c\""), List.of("\"abbc\"", "\"xabc\"")),
                of("{\"type\": \"string\", \"pattern\": \"b\", \"minLength\": 3}", List.of("\"abc\"", "\"bbb\""), List.of("\"ab\"", "\"aaa\"")),
                of("{\"type\": \"string\", \"format\": \"date\"}", List.of("\"2024-02-29\"", "\"2000-02-29\"", "\"1999-12-31\""),
                        List.of("\"2023-02-29\"", "\"1900-02-29\"", "\"2024-04-31\"", "\"2024-13-01\"", "\"24-01-01\"")),
                of("{\"type\": \"string\", \"format\": \"email\"}", List.of("\"a.b+c@x-y.example.org\""), List.of("\"a@b\"", "\"@x.org\"")),
                of("{\"enum\": [\"a\", 1, null, [2, {\"b\": \"\\n\"}]]}", List.of("\"a\"", "1", "null", "[2,{\"b\":\"\\n\"}]"), List.of("2", "\"b\"")),
                of("{\"type\": \"string\", \"enum\": [\"a\", 1]}", List.of("\"a\""), List.of("1")),
                of("{\"const\": {\"k\": 1.50}}", List.of("{\"k\":1.50}"), List.of("{\"k\":1.5}", "{}")),
                of("""
                   {"type": "object", "properties": {"b": {"type": "boolean"}, "a": {"type": "null"}, "c": true}, "required": ["c"],
                    "additionalProperties": false}""",
                        List.of("{\"b\":true,\"a\":null,\"c\":1}", "{\"c\": {}}", "{ \"a\": null, \"c\": [1]}"),
                        List.of("{}", "{\"a\":null}", "{\"a\":null,\"b\":true,\"c\":1}", "{\"c\":1,\"d\":2}", "{\"c\":1,}")),
                of("{\"properties\": {\"a\": {\"type\": \"null\"}}}", List.of("{}", "{\"a\":null}"), List.of("{\"b\":1}", "1")),
                of("{\"properties\": {\"a\": {\"type\": \"null\"}, \"ab\": false}, \"required\": [\"z\"], \"additionalProperties\": {\"type\": \"integer\"}}",
                        List.of("{\"z\":1}", "{\"a\":null,\"z\":1,\"b\":2,\"abc\":3}", "{\"z\":1,\"\":2,\"\\u0001\":3}"),
                        List.of("{}", "{\"z\":1,\"a\":2}", "{\"z\":1,\"ab\":2}", "{\"z\":1,\"z\":2}", "{\"z\":1,\"\\u0061\":2}", "{\"z\":null}")),
                of("{\"type\": \"array\", \"items\": {\"type\": \"null\"}, \"minItems\": 1, \"maxItems\": 3}", List.of("[null]", "[null,null, null]"),
                        List.of("[]", "[1]", "[null,null,null,null]")),
                of("{\"prefixItems\": [{\"type\": \"null\"}, {\"const\": 1}], \"items\": {\"const\": 2}, \"maxItems\": 4}",
                        List.of("[null,1]", "[null,1,2,2]"), List.of("[]", "[1,null]", "[null,1,2,2,2]")),
                of("{\"items\": [{\"type\": \"null\"}], \"additionalItems\": false}", List.of("[null]"), List.of("[null,1]", "[null,null]")),
                of("{\"type\": \"array\", \"maxItems\": 0}", List.of("[]", "[ ]"), List.of("[1]")),
                of("{\"anyOf\": [{\"type\": \"null\"}, {\"minimum\": 3}], \"description\": \"x\"}", List.of("null", "3", "4.5"), List.of("2", "\"\"")),
                of("{\"type\": \"object\", \"properties\": {\"k\": {\"type\": \"string\"}}, \"anyOf\": [{\"required\": [\"k\"]}, {\"properties\": {\"n\": {\"const\": 1}}}]}",
                        List.of("{\"k\":\"\"}", "{\"k\":\"\",\"n\":1}", "{}"), List.of("{\"n\":2}")),
                of("""
                   {"oneOf": [{"type": "object", "properties": {"t": {"const": "a"}, "x": {"type": "null"}}, "required": ["t"]},
                              {"type": "object", "properties": {"t": {"enum": ["b", "c"]}}, "required": ["t"]}, {"type": "integer"}]}""",
                        List.of("{\"t\":\"a\",\"x\":null}", "{\"t\":\"c\"}", "4"), List.of("{\"t\":\"b\",\"x\":null}", "{}")),
                of("""
                   {"$ref": "#/$defs/tree", "$defs": {"tree": {"type": "object", "properties": {"v": {"type": "integer"}, "kids":
                     {"type": "array", "items": {"$ref": "#/$defs/tree"}}}, "required": ["v"]}, "other~/%": {"not": {}}}}""",
                        List.of("{\"v\":1,\"kids\":[{\"v\":2,\"kids\":[]},{\"v\":3}]}"), List.of("{\"kids\":[]}", "{\"v\":1,\"kids\":[{}]}")),
                of("{\"type\": \"array\", \"items\": {\"$ref\": \"#\"}}", List.of("[]", "[[],[[]]]"), List.of("[1]", "[[]")),
                of("{\"$defs\": {\"a/b\": {\"type\": \"integer\"}}, \"allOf\": [{\"$ref\": \"#/$defs/a~1b\"}, {\"minimum\": 3}, {\"type\": \"number\", \"maximum\": 5}]}",
                        List.of("3", "5"), List.of("2", "6", "3.5")));
    }

    private static Arguments of(String schema, List<String> valid, List<String> others) {
        return Arguments.of(schema, valid, others);
    }

    @ParameterizedTest
    @MethodSource("schemas")
    void shouldLetBeWrittenWhatIsValid(String schema, List<String> valid, List<String> others) {
        CompiledFormat format = CompiledFormat.ofSchema(schema);
        valid.forEach(text -> assertTrue(GrammarTest.matches(format, text), text));
        others.forEach(text -> assertFalse(GrammarTest.matches(format, text), text));
    }

    /** Bounds of each kind, against numbers of few digits around them. */
    @Test
    void shouldKeepNumbersWithinBounds() {
        for (String[] bounds : new String[][] {{"-12", "7"}, {"0", "0"}, {"-3.25", "-1.5"}, {"9.95", "10.05"}, {"0.5", "0.75"}, {"-0.5", "120"},
            {"98", "1001"}, {"3", null}, {null, "-2.5"}, {"1e1", "1.2e1"}, {"-1", "0"}}) {
            for (int kind = 0; kind < 4; kind++) {
                String least = kind % 2 == 0 ? "minimum" : "exclusiveMinimum";
                String most = kind / 2 == 0 ? "maximum" : "exclusiveMaximum";
                String keywords = (bounds[0] == null ? "" : ", \"" + least + "\": " + bounds[0])
                        + (bounds[1] == null ? "" : ", \"" + most + "\": " + bounds[1]);
                compare(bounds, kind, "{\"type\": \"integer\"" + keywords + "}", 0);
                compare(bounds, kind, "{\"type\": \"number\"" + keywords + "}", 2);
            }
        }
    }

    private static void compare(String[] bounds, int kind, String schema, int scale) {
        CompiledFormat format;
        try {
            format = CompiledFormat.ofSchema(schema);
        } catch (IllegalArgumentException e) {
            format = null; // no number is between the bounds
        }
        int step = scale == 0 ? 1 : 5;
        for (int i = -1300 * (scale == 0 ? 1 : 2); i <= 12100; i += step) {
            BigDecimal number = BigDecimal.valueOf(i, scale);
            int low = bounds[0] == null ? 1 : number.compareTo(new BigDecimal(bounds[0]));
            int high = bounds[1] == null ? -1 : number.compareTo(new BigDecimal(bounds[1]));
            boolean within = (kind % 2 == 0 ? low >= 0 : low > 0) && (kind / 2 == 0 ? high <= 0 : high < 0);
            String text = number.toPlainString();
            assertEquals(within, format != null && GrammarTest.matches(format, text), schema + " and " + text);
        }
    }

    @Test
    void shouldWriteObjectsAsArgumentsWhateverTheirSchemaSays() {
        for (String schema : List.of("{}", "true", "{\"type\": [\"object\", \"null\"]}", "{\"type\": \"object\", \"nullable\": true}",
                "{\"anyOf\": [{\"type\": \"string\"}, {\"type\": [\"object\", \"array\"]}]}", "{\"enum\": [1, {\"a\":1}]}",
                "{\"$ref\": \"#/$defs/x\", \"$defs\": {\"x\": {\"anyOf\": [{}, {\"const\": 2}]}}}")) {
            CompiledFormat call = CompiledFormat.ofCall(Map.of("f", schema), List.of("", "(", ")"));
            assertTrue(GrammarTest.matches(call, "f({\"a\":1})"), schema);
            for (String other : List.of("null", "[]", "\"a\"", "1", "2", "true")) {
                assertFalse(GrammarTest.matches(call, "f(" + other + ")"), schema + " and " + other);
            }
        }
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofCall(Map.of("f", "{\"type\": \"array\"}"),
                List.of("", "(", ")")));
        assertEquals("the arguments of the tool 'f': the keyword 'type' of the schema at '#': expected object, got \"array\"", e.getMessage());
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                no("{\"not\": {}}", "the keyword 'not' of the schema at '#': not supported"),
                no("{\"properties\": {\"a\": {\"items\": {\"if\": {}}}}}", "the keyword 'if' of the schema at '#/properties/a/items'"),
                no("{\"type\": \"object\", \"patternProperties\": {}}", "'patternProperties'"),
                no("{\"type\": \"integer\", \"multipleOf\": 3}", "'multipleOf'"),
                no("{\"type\": \"array\", \"uniqueItems\": true}", "'uniqueItems'"),
                no("{\"type\": \"object\", \"minProperties\": 2}", "'minProperties'"),
                no("{\"type\": \"string\", \"format\": \"stock-symbol\"}", "'stock-symbol' is not supported, but date, date-time"),
                no("{\"type\": \"string\", \"pattern\": \"(?=a)\"}", "the keyword 'pattern' of the schema at '#': a regular expression"),
                no("{\"type\": \"text\"}", "expected the name of a type, got \"text\""),
                no("{\"$ref\": \"http://example.org/x\"}", "expected a pointer into the schema"),
                no("{\"$ref\": \"#/$defs/x\"}", "there is no #/$defs/x"),
                no("{\"$ref\": \"#\"}", "matches no text"),
                no("{\"required\": [\"a\"], \"properties\": {\"a\": {\"$ref\": \"#\"}}}", "matches no text"),
                no("{\"required\": [\"a\"], \"additionalProperties\": false}", "'a' is none of the properties"),
                no("{\"type\": \"integer\", \"minimum\": 3, \"maximum\": 2}", "matches no text"),
                no("{\"enum\": []}", "matches no text"), no("false", "matches no text"), no("{\"type\": \"string\", \"enum\": [1]}", "matches no text"),
                no("{\"enum\": [\"a\"], \"maxLength\": 3}", "'enum' of the schema at '#': not supported beside"),
                no("{\"oneOf\": [{\"type\": \"integer\"}, {\"type\": \"number\"}]}", "not those with the indices 0 and 1"),
                no("{\"oneOf\": [{\"required\": [\"a\"]}, {\"required\": [\"b\"]}]}", "'oneOf'"),
                no("{\"allOf\": [{\"pattern\": \"a\"}, {\"pattern\": \"b\"}]}", "'pattern' of the schema at '#': not supported twice"),
                no("{\"allOf\": [{\"additionalProperties\": false}, {\"properties\": {\"a\": true}}]}", "'additionalProperties'"),
                no("{\"$ref\": \"#\", \"minimum\": 3}", "to a depth of more than 64"),
                no("{\"type\": \"string\", \"maxLength\": 1e99}", "'maxLength'"), no("{\"type\": \"integer\", \"minimum\": 1e999999999}", "'minimum'"),
                no("{\"type\": \"string\", \"maxLength\": 1000000}", "the format is too large"),
                no("{\"type\": ", "a schema: not valid JSON"), no("{} x", "not valid JSON"), no("[]", "expected an object, got []"));
    }

    private static Arguments no(String schema, String problem) {
        return Arguments.of(schema, problem);
    }

    @ParameterizedTest
    @MethodSource("refused")
    void shouldRefuseByName(String schema, String problem) {
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofSchema(schema));
        assertTrue(e.getMessage().contains(problem), e.getMessage());
    }

    @Test
    void shouldRefuseSchemasWithoutEndAndTakeLongOnes() {
        String deep = "{\"items\":".repeat(240) + "true" + "}".repeat(240);
        var e = assertThrows(IllegalArgumentException.class, () -> CompiledFormat.ofSchema(deep));
        assertTrue(e.getMessage().contains("within each other to a depth of more than"), e.getMessage());
        var many = new StringBuilder("{\"type\": \"object\", \"additionalProperties\": false, \"properties\": {");
        for (int i = 0; i < 600; i++) {
            many.append(i == 0 ? "" : ", ").append("\"property").append(i).append("\": {\"type\": \"integer\"}");
        }
        CompiledFormat format = CompiledFormat.ofSchema(many + "}}");
        assertTrue(GrammarTest.matches(format, "{\"property3\":1, \"property599\":2}"));
        assertFalse(GrammarTest.matches(format, "{\"property4\":1, \"property3\":2}"));
    }

    /** Schemas that name each other twice each: 2 to the power of 40 of them. */
    @Test
    void shouldRefuseWhatHoldsAtOnceWithoutEnd() {
        var schema = new StringBuilder("{\"$ref\": \"#/$defs/d0\", \"$defs\": {");
        for (int i = 0; i < 40; i++) {
            schema.append("\"d%d\": {\"allOf\": [{\"$ref\": \"#/$defs/d%d\"}, {\"$ref\": \"#/$defs/d%d\"}]}, ".formatted(i, i + 1, i + 1));
        }
        var e = assertThrows(IllegalArgumentException.class,
                () -> CompiledFormat.ofSchema(schema + "\"d40\": {\"type\": \"integer\"}}}"));
        assertTrue(e.getMessage().contains("schemas that hold at once"), e.getMessage());
    }
}
