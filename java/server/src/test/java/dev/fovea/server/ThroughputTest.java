package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.TextEncoder;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.http.HttpFront;
import dev.fovea.server.http.HttpHandler;
import dev.fovea.server.http.HttpSettings;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.routing.Route;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What gathering the texts of 32 clients is worth. {@code -Dfovea.measure=SECONDS} measures for so long a side and
 * prints the figures; else each runs for a moment.
 */
class ThroughputTest {
    private static final double SECONDS = Double.parseDouble(System.getProperty("fovea.measure", "0.3"));

    private static Load load(boolean mixed) {
        List<String> texts = mixed ? Load.mixedTexts(200)
                : List.of("How do I reset my password?", "I forgot my login", "Nice weather today");
        return new Load(32, "/embed", texts.stream().map(text -> "{\"inputs\": " + new Gson().toJson(text) + "}").toList());
    }

    /** Each request encodes its texts itself, as services do that know no queue. */
    private static HttpFront alone(TextEncoder encoder) throws Exception {
        return HttpFront.open(new HttpSettings("127.0.0.1", 0, 100, 8192, 1 << 20, 1 << 24, Duration.ofSeconds(30),
                Duration.ofSeconds(30), Duration.ofSeconds(30)), new HttpHandler() {
                    @Override
                    public void handle(Exchange exchange) {
                        float[] vector = encoder.encode(JsonBody.parse(exchange.body()).string("inputs"));
                        Route.json(exchange, new JsonText().array(all -> all.array(one -> one.values(vector))).toString());
                    }

                    @Override
                    public byte[] refusal(String path, int status, String message) {
                        return new byte[0];
                    }
                });
    }

    @Test
    void shouldAnswerMoreWhenTextsAreGathered() throws Exception {
        var single = TestServer.options().withLimits(ServerLimits.defaults().withTokens(1, 1 << 18));
        EncoderOptions oneThread = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        List<String> model = List.of(TestServer.EMBEDDER);
        try (TestServer gathered = TestServer.start(TestServer.options(), model);
                TestServer workers = TestServer.start(TestServer.options(), model, oneThread);
                TestServer oneByOne = TestServer.start(single, model);
                TextEncoder encoder = TextEncoder.load(TestServer.EMBEDDER);
                HttpFront alone = alone(encoder)) {
            Map<String, Integer> sides = new LinkedHashMap<>();
            sides.put("gathered, a batch on all threads", gathered.server.port());
            sides.put("gathered, a batch on each thread", workers.server.port());
            sides.put("one by one", oneByOne.server.port());
            sides.put("each request by itself", alone.port());
            for (boolean mixed : new boolean[] {false, true}) {
                Load load = load(mixed);
                for (Map.Entry<String, Integer> side : sides.entrySet()) {
                    load.run(side.getValue(), SECONDS / 2); // warms up
                    Load.Result result = load.run(side.getValue(), SECONDS);
                    System.out.println((mixed ? "mixed" : "short") + " texts, " + side.getKey() + ": " + result);
                    assertEquals(0, result.others());
                    assertTrue(result.answers() > 0);
                }
            }
        }
    }
}
