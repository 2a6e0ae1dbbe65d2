package dev.fovea.model.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.fovea.Engine;
import dev.fovea.TestEngine;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.weights.GgufWeights;
import dev.fovea.weights.Weights;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every language model on every backend gives the logits that transformers does, see {@code bench/goldens/decoders.py}. */
class GoldenDecoderTest {
    static final Path GOLDEN = Path.of("src", "test", "resources", "dev", "fovea", "model", "decoder");
    private static final double TOLERANCE = 1e-5;

    /** One model and one backend. */
    static Stream<Arguments> directories() throws Exception {
        return all("golden");
    }

    /** Likewise of a file. */
    static Stream<Arguments> files() throws Exception {
        return all("gguf");
    }

    private static Stream<Arguments> all(String place) throws Exception {
        List<Arguments> all = new ArrayList<>();
        try (var folders = Files.list(GOLDEN.resolve(place))) {
            for (Path folder : folders.sorted().toList()) {
                for (TestEngine engine : TestEngine.devices()) {
                    all.add(Arguments.of(folder.getFileName().toString(), engine));
                }
            }
        }
        assertFalse(all.isEmpty());
        return all.stream();
    }

    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("directories")
    void shouldGiveTheLogitsOfTransformers(String name, TestEngine maker) throws Exception {
        Path folder = GOLDEN.resolve("golden").resolve(name);
        DecoderConfig config = DecoderConfig.read(folder.resolve("config.json"));
        try (Engine engine = maker.create(); Weights file = Weights.open(folder.resolve("model.safetensors"))) {
            for (JsonElement one : cases(name)) {
                check(one.getAsJsonObject(), config, file, engine);
            }
        }
    }

    /** The same weights, as llama.cpp has them. */
    @ParameterizedTest(name = "{0} on {1}")
    @MethodSource("files")
    void shouldGiveTheSameOfFilesOfLlamaCpp(String name, TestEngine maker) throws Exception {
        try (Engine engine = maker.create(); GgufWeights file = GgufWeights.open(GOLDEN.resolve("gguf").resolve(name))) {
            DecoderConfig config = GgufDecoder.read(file);
            for (JsonElement one : cases(name.replace(".gguf", ""))) {
                check(one.getAsJsonObject(), config, file, engine);
            }
        }
    }

    private static JsonArray cases(String name) throws Exception {
        Path file = GOLDEN.resolve("golden").resolve(name).resolve("expected.json");
        return JsonParser.parseString(Files.readString(file)).getAsJsonArray();
    }

    /** A prompt at once, then token by token. */
    static void check(JsonObject expected, DecoderConfig config, Weights file, Engine engine) throws Exception {
        int[] ids = expected.getAsJsonArray("ids").asList().stream().mapToInt(JsonElement::getAsInt).toArray();
        JsonArray rows = expected.getAsJsonArray("logits");
        Description description = config.decoder(ids.length);
        Graph graph = ModelGraph.generator(description, config.weights(description, file));
        float softcap = ((Head.NextToken) description.head()).softcap();
        try (Plan plan = Plan.compile(graph, engine);
                CacheSet cache = graph.caches().getFirst().create(engine, 1, ids.length);
                Session session = plan.newSession(ids.length, List.of(cache))) {
            int start = 0;
            for (int row = 0; row < rows.size(); row++) {
                int end = ids.length - rows.size() + row + 1;
                int[] part = Arrays.copyOfRange(ids, start, end);
                session.run(1, MemorySegment.ofArray(part), MemorySegment.ofArray(new int[] {0, part.length}));
                start = end;
                for (int token = 0; token < description.vocabulary(); token++) {
                    double logit = session.output().getFloat(0, token) * (softcap == 0 ? 1 : softcap);
                    assertEquals(rows.get(row).getAsJsonArray().get(token).getAsDouble(), logit, TOLERANCE,
                            "token " + token + " behind " + end + " tokens");
                }
            }
        }
    }
}
