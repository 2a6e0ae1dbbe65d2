package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.networknt.schema.JsonSchemaFactory;
import com.networknt.schema.SchemaValidatorsConfig;
import com.networknt.schema.SpecVersion;
import dev.fovea.EngineOptions;
import dev.fovea.model.GeneratedText.Finish;
import dev.fovea.model.grammar.RandomSchemas;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model of random weights writes has the form that was asked for, whatever else the options say. */
class StructuredOutputTest {
    private static final int SCHEMAS = Integer.getInteger("fovea.schemas", 40);
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    private static Path directory;
    private static TextGenerator model;

    @BeforeAll
    static void load() throws IOException {
        model = TextGenerator.load(TinyGenerator.write(directory, 1), GeneratorOptions.defaults().withContext(4096)
                .withEngineOptions(EngineOptions.defaults().withThreads(1)));
    }

    @AfterAll
    static void close() {
        model.close();
    }

    /** Quotes and brackets that close, and what patterns wait for, are likelier: random weights would not come to an end. */
    private static SamplingOptions ending(long seed, OutputFormat format) {
        Map<Integer, Float> biases = new HashMap<>();
        List<String> tokens = TinyGenerator.tokens();
        for (int id = 0; id < tokens.size(); id++) {
            String token = tokens.get(id);
            if (token.matches(".*[}\\]\")xy]|Ã[©¼]")) {
                biases.put(id, 3f);
            }
        }
        biases.put(TinyGenerator.END, 6f);
        return SamplingOptions.sampling(1.2f, seed).withLogitBias(biases).withMaxTokens(3000).withFormat(format);
    }

    @Test
    void shouldWriteWhatIsValidByTheSchema() throws IOException {
        var schemas = new RandomSchemas(Long.getLong("fovea.schemas.seed", 7));
        var factory = JsonSchemaFactory.getInstance(SpecVersion.VersionFlag.V202012);
        var config = SchemaValidatorsConfig.builder().formatAssertionsEnabled(true).build();
        Set<String> texts = new HashSet<>();
        for (int i = 0; i < SCHEMAS; i++) {
            String schema = schemas.next().toString();
            OutputFormat format = OutputFormat.jsonSchema(schema);
            for (int seed = 0; seed < 3; seed++) {
                GeneratedText result = model.generate("go on", ending(seed, format));
                assertEquals(Finish.END, result.finish(), schema + "\n" + result.text());
                var problems = factory.getSchema(schema, config).validate(JSON.readTree(result.text()));
                assertTrue(problems.isEmpty(), () -> schema + "\n" + result.text() + "\n" + problems);
                texts.add(result.text());
            }
        }
        assertTrue(texts.size() > 2 * SCHEMAS, "only " + texts.size() + " texts differ");
    }

    @Test
    void shouldCompileAFormatOnce() {
        String schema = "{\"enum\": [\"once\"]}";
        OutputFormat format = OutputFormat.jsonSchema(schema);
        assertSame(format, OutputFormat.jsonSchema("{\"enum\": " + "[\"once\"]}"));
        var tools = Map.of("f", "{}");
        assertSame(format.orCall(tools, List.of("", "(", ")")), OutputFormat.jsonSchema(schema).orCall(tools, List.of("", "(", ")")));
        IntStream.range(0, KnownFormats.KEPT).forEach(i -> OutputFormat.choice("once" + i));
        assertEquals(format, OutputFormat.jsonSchema(schema));
        assertNotSame(format, OutputFormat.jsonSchema(schema));
    }

    @Test
    void shouldFollowEachKindOfFormat() {
        for (int seed = 0; seed < 20; seed++) {
            assertTrue(text(seed, OutputFormat.regex("[a-c]{1,5}-\\d{2,4}|é{3}")).matches("[a-c]{1,5}-\\d{2,4}|é{3}"));
            assertTrue(Set.of("yes", "no", "perhaps", "").contains(text(seed, OutputFormat.choice("yes", "no", "perhaps", ""))));
            assertTrue(text(seed, OutputFormat.grammar("root ::= \"(\" root \")\" | [0-9]+")).matches("\\(*[0-9]+\\)*"));
        }
    }

    private static String text(long seed, OutputFormat format) {
        GeneratedText result = model.generate("go on", ending(seed, format));
        assertEquals(Finish.END, result.finish(), result::text);
        assertEquals(TinyGenerator.END, result.tokens()[result.tokens().length - 1]);
        return result.text();
    }

    @Test
    void shouldGiveTheSameTextForTheSameSeedWhoeverElseWrites() throws Exception {
        OutputFormat format = OutputFormat.jsonSchema("{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"minItems\": 3}");
        List<String> alone = List.of(text(1, format), text(2, format), text(3, format));
        assertEquals(3, new HashSet<>(alone).size());
        try (var callers = Executors.newFixedThreadPool(4)) {
            List<Callable<String>> calls = new java.util.ArrayList<>();
            for (int i = 0; i < 24; i++) {
                int seed = 1 + i % 3;
                // An equal format, of the same text.
                calls.add(() -> text(seed, OutputFormat.jsonSchema(
                        "{\"type\": \"array\", \"items\": {\"type\": \"string\"}, \"minItems\": 3}")));
            }
            var results = callers.invokeAll(calls);
            for (int i = 0; i < results.size(); i++) {
                assertEquals(alone.get(i % 3), results.get(i).get());
            }
        }
    }

    @Test
    void shouldStreamAndStopAsWithoutAFormat() {
        OutputFormat format = OutputFormat.regex("[xyz]{40}");
        var streamed = new StringBuilder();
        GeneratedText whole = model.generate("go on", ending(5, format), (text, _) -> {
            streamed.append(text);
            return true;
        });
        assertEquals(whole.text(), streamed.toString());
        String stop = whole.text().substring(17, 21);
        GeneratedText stopped = model.generate("go on", ending(5, format).withStops(stop));
        assertEquals(whole.text().substring(0, whole.text().indexOf(stop)), stopped.text());
        assertEquals(Finish.STOP, stopped.finish());
        GeneratedText cut = model.generate("go on", ending(5, format).withMaxTokens(7).withLogProbabilities(true));
        assertEquals(Finish.LENGTH, cut.finish());
        assertEquals(whole.text().substring(0, cut.text().length()), cut.text());
        for (float logProbability : cut.logProbabilities()) {
            assertTrue(logProbability < 0 && logProbability > -40, "of the model, whatever the format: " + logProbability);
        }
    }

    @Test
    void shouldRefuseWhatCannotBe() throws IOException {
        var options = SamplingOptions.greedy();
        var e = assertThrows(IllegalArgumentException.class, () -> options.withIgnoresEnd(true).withFormat(OutputFormat.json()));
        assertTrue(e.getMessage().endsWith("got ignores_end true"), e.getMessage());
        var digits = OutputFormat.regex("[0-9]");
        Map<Integer, Float> none = new HashMap<>();
        for (int id = 0; id < model.vocabulary(); id++) {
            none.put(id, Float.NEGATIVE_INFINITY);
        }
        var a = assertThrows(IllegalArgumentException.class, () -> model.generate("x", options.withFormat(digits).withLogitBias(none)));
        assertTrue(a.getMessage().startsWith("no token may follow"), a.getMessage());
        Path golden = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder", "golden", "llama");
        try (var idsAlone = TextGenerator.load(golden)) {
            assertThrows(UnsupportedOperationException.class, () -> idsAlone.generate(new int[] {3}, options.withFormat(digits)));
        }
        assertEquals(digits, OutputFormat.regex("[0-9]"));
        assertNotEquals(digits, OutputFormat.choice("[0-9]"));
    }
}
