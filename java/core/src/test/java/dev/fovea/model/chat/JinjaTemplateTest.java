package dev.fovea.model.chat;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Templates give the texts that transformers gives, see {@code bench/goldens/chat.py}, reach no class and end. */
class JinjaTemplateTest {
    private static final Path GOLDEN =
            Path.of("src", "test", "resources", "dev", "fovea", "model", "chat", "chats.json");

    private static final Map<String, Object> VALUES = Map.of("list", List.of("a", "b", "c", "d"), "text", "hello",
            "map", Map.of("key", "value"), "flag", true);

    @Test
    void shouldDropTheWhiteSpaceThatJinjaDropsAlone() {
        assertEquals("a b", new JinjaTemplate("a {% if flag %}b{% endif %}").render(VALUES));
        assertEquals("hello c", new JinjaTemplate("{{ text }} {# note #}c").render(VALUES));
        assertEquals("x\nb c\n", new JinjaTemplate("x\n \t{% if flag %}\nb {% endif %}c\n\n").render(VALUES));
        assertEquals("hello", new JinjaTemplate("{{ text }}\n").render(VALUES));
        assertEquals("ab", new JinjaTemplate("a {%- if flag %}b{% endif %}").render(VALUES));
    }

    @TestFactory
    Stream<DynamicTest> shouldRenderWhatTransformersDoes() throws IOException {
        List<DynamicTest> tests = new ArrayList<>();
        String more = System.getProperty("fovea.chats");
        for (Path file : more == null ? List.of(GOLDEN) : List.of(GOLDEN, Path.of(more))) {
            for (JsonElement chat : JsonParser.parseString(Files.readString(file)).getAsJsonArray()) {
                JsonObject one = chat.getAsJsonObject();
                tests.add(DynamicTest.dynamicTest(one.get("name").getAsString(), () -> check(one)));
            }
        }
        return tests.stream();
    }

    @SuppressWarnings("unchecked")
    private static void check(JsonObject chat) {
        Map<String, Object> values = (Map<String, Object>) plain(chat);
        var template = new JinjaTemplate((String) values.get("template"));
        if (chat.has("refused")) {
            String message = assertThrows(IllegalArgumentException.class, () -> template.render(values)).getMessage();
            assertTrue(message.contains(chat.get("refused").getAsString()), message);
        } else {
            assertEquals(chat.get("expected").getAsString(), template.render(values));
        }
    }

    private static Object plain(JsonElement element) {
        if (element.isJsonObject()) {
            Map<String, Object> map = new LinkedHashMap<>();
            element.getAsJsonObject().entrySet().forEach(entry -> map.put(entry.getKey(), plain(entry.getValue())));
            return map;
        }
        if (element.isJsonArray()) {
            List<Object> list = new ArrayList<>();
            element.getAsJsonArray().forEach(one -> list.add(plain(one)));
            return list;
        }
        if (!(element instanceof JsonPrimitive primitive)) {
            return null;
        }
        return primitive.isBoolean() ? (Object) primitive.getAsBoolean()
                : !primitive.isNumber() ? primitive.getAsString()
                : primitive.getAsString().contains(".") ? (Object) primitive.getAsDouble() : (Object) primitive.getAsLong();
    }

    @ParameterizedTest
    @CsvSource(delimiter = ';', quoteCharacter = '`', value = {
        "{{ list[0] }}{{ list[-1] }}{{ list[list|length - 1] }};add", "{{ text[-1] }}{{ text[1:] }}{{ text[:-1] }};oellohell",
        "{{ not map.key is defined }}{{ not map.none is defined }};falsetrue",
        "{% for x in list if x != 'b' %}{{ x }}{% if not loop.last %}-{% endif %}{% endfor %};a-c-d",
        "{% set ns = namespace(n=list|length - 1) %}{{ ns.n }};3", "{% for k, v in map|items %}{{ k }}={{ v }}{% endfor %};key=value",
        "{% generation %}x{% endgeneration %};x", "{{ text.split('l')[0] }}{{ '-'.join(list) }};hea-b-c-d",
        "{{ list|tojson }};[\"a\", \"b\", \"c\", \"d\"]", "{{ flag is true }}{{ text is string }};truetrue"
    })
    void shouldReadWhatTemplatesOfModelsSay(String template, String expected) {
        assertEquals(expected, new JinjaTemplate(template).render(VALUES));
    }

    @ParameterizedTest
    @ValueSource(strings = {"{{ text.getClass() }}", "{{ text.class }}", "{{ list.class.name }}", "{{ map.getClass().forName('x') }}",
        "{{ list.iterator() }}", "{{ loop.class }}", "{% for x in list %}{{ loop.getClass() }}{{ loop.class }}{% endfor %}",
        "{% include '/etc/passwd' %}", "{% import 'x' as y %}", "{{ ''.class.forName('java.lang.Runtime') }}",
        "{{ ____int3rpr3t3r____ }}", "{{ ____int3rpr3t3r____.config }}", "{{ ____int3rpr3t3r____.getContext() }}"})
    void shouldReachNothingButItsValues(String template) {
        String out;
        try {
            out = new JinjaTemplate(template).render(VALUES);
        } catch (IllegalArgumentException refused) {
            return;
        }
        assertTrue(!out.contains("class") && !out.contains("java") && !out.contains("root") && !out.contains("hubspot"), out);
    }

    @Test
    void shouldNotRenderWhatMessagesSay() {
        assertEquals("{{ 7 * 7 }}", new JinjaTemplate("{{ said }}").render(Map.of("said", "{{ 7 * 7 }}")));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "{% for a in range(1000) %}{% for b in range(1000) %}{% for c in range(1000) %}{% endfor %}{% endfor %}{% endfor %}",
        "{% set ns = namespace(s='xxxxxxxxxxxxxxxx') %}{% for a in range(1000) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}", "{% for a in list %}", "{{ unknown_function(1) }}{{ 1 | nothing }}"})
    void shouldEndWhateverATemplateSays(String template) {
        assertTimeoutPreemptively(Duration.ofSeconds(60), () -> {
            try {
                String out = new JinjaTemplate(template).render(VALUES);
                assertTrue(out.length() <= 1 << 22);
            } catch (IllegalArgumentException refused) {
                assertTrue(refused.getMessage().contains("chat template"), refused.getMessage());
            }
        });
    }
}
