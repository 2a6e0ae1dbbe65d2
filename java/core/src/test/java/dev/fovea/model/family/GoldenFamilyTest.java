package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import dev.fovea.weights.Weights;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every family on every backend computes what {@code bench/goldens/reference.py} does in double precision: hidden
 * states, and the scores of its heads.
 */
class GoldenFamilyTest {
    static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "family", "golden");
    private static final List<String> FAMILIES = List.of("albert", "bert", "clip-text", "deberta-v2", "distilbert",
            "electra", "eurobert", "gte-new", "jina-bert", "jina-bert-code", "modernbert", "mpnet", "nomic-bert", "roberta",
            "xlm-roberta");
    private static final double TOLERANCE = 1e-5;

    /** One family and one backend. */
    static Stream<Arguments> all() throws Exception {
        List<Arguments> all = new ArrayList<>();
        for (String family : FAMILIES) {
            for (TestEngine engine : TestEngine.devices()) {
                all.add(Arguments.of(family, engine));
            }
        }
        return all.stream();
    }

    @Test
    void shouldFindAFolderOfEveryFamilyAndNoOther() throws Exception {
        try (var folders = Files.list(GOLDEN)) {
            assertEquals(FAMILIES, folders.map(folder -> folder.getFileName().toString()).sorted().toList());
        }
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("all")
    void shouldComputeWhatTheReferenceDoes(String family, TestEngine maker) throws Exception {
        Path folder = GOLDEN.resolve(family);
        EncoderConfig config = EncoderConfig.read(folder.resolve("config.json"));
        JsonArray cases = JsonParser.parseString(Files.readString(folder.resolve("expected.json"))).getAsJsonArray();
        Description encoder = config.encoder();
        encoder = encoder.withEmbedding(encoder.embedding().withPairs(true));
        double greatest = 0;
        try (Engine engine = maker.create(); Weights file = Weights.open(folder.resolve("model.safetensors"))) {
            Graph hidden = ModelGraph.encoder(encoder, config.weights(encoder, file).weights(), engine);
            greatest = Math.max(greatest, difference(engine, hidden, cases, "hidden"));
            JsonObject first = cases.get(0).getAsJsonObject();
            for (String head : List.of("labels", "tags", "words")) {
                if (first.has(head)) {
                    int outputs = first.getAsJsonArray(head).get(0).getAsJsonArray().size();
                    var headed = switch (head) {
                        case "labels" -> config.classifier(encoder, outputs, file);
                        case "tags" -> config.tagger(encoder, outputs, file);
                        default -> config.words(encoder, file);
                    };
                    Graph graph = ModelGraph.encoder(headed.description(), headed.weights(), engine);
                    greatest = Math.max(greatest, difference(engine, graph, cases, head));
                }
            }
        }
        System.getLogger(getClass().getName())
                .log(System.Logger.Level.DEBUG, family + " on " + maker + ": " + greatest);
        if (System.getProperty("fovea.golden.print") != null) {
            System.out.printf("GOLDEN | %s | %.1e | %s%n", family, greatest, maker);
        }
    }

    /** Runs all cases as one batch, and asserts that the output is what is expected. */
    private static double difference(Engine engine, Graph graph, JsonArray cases, String what) {
        List<Integer> ids = new ArrayList<>();
        List<Integer> types = new ArrayList<>();
        int[] offsets = new int[cases.size() + 1];
        for (int i = 0; i < cases.size(); i++) {
            JsonObject one = cases.get(i).getAsJsonObject();
            one.getAsJsonArray("ids").forEach(id -> ids.add(id.getAsInt()));
            one.getAsJsonArray("types").forEach(type -> types.add(type.getAsInt()));
            offsets[i + 1] = ids.size();
        }
        double greatest = 0;
        try (Plan plan = Plan.compile(graph, engine); Session session = plan.newSession(ids.size(), cases.size())) {
            session.run(cases.size(), segment(ids), segment(types), MemorySegment.ofArray(offsets));
            Tensor output = session.output();
            for (int i = 0; i < cases.size(); i++) {
                JsonArray rows = cases.get(i).getAsJsonObject().getAsJsonArray(what);
                // Scores of sequences have a row each; of tokens the last ones are given.
                int row = what.equals("labels") ? i : offsets[i + 1] - rows.size();
                for (JsonElement expected : rows) {
                    greatest = Math.max(greatest, difference(expected.getAsJsonArray(), output, row++, what));
                }
            }
        }
        return greatest;
    }

    private static double difference(JsonArray expected, Tensor output, int row, String what) {
        assertEquals(expected.size(), output.size(1), what);
        double greatest = 0;
        for (int c = 0; c < expected.size(); c++) {
            double difference = Math.abs(expected.get(c).getAsDouble() - output.getFloat(row, c));
            assertTrue(difference <= TOLERANCE, () -> what + " row " + row + ": difference " + difference);
            greatest = Math.max(greatest, difference);
        }
        return greatest;
    }

    private static MemorySegment segment(List<Integer> values) {
        return MemorySegment.ofArray(values.stream().mapToInt(Integer::intValue).toArray());
    }
}
