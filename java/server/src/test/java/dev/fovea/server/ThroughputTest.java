package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import dev.fovea.model.TextEncoder;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.http.HttpFront;
import dev.fovea.server.http.HttpHandler;
import dev.fovea.server.http.HttpSettings;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.routing.Route;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * What gathering the texts of 32 clients is worth. {@code -Dfovea.measure=SECONDS} measures for so long a side, twice, and
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
        try (TestServer gathered = TestServer.start(TestServer.options(), List.of(TestServer.EMBEDDER));
                TestServer oneByOne = TestServer.start(single, List.of(TestServer.EMBEDDER));
                TextEncoder encoder = TextEncoder.load(TestServer.EMBEDDER);
                HttpFront alone = alone(encoder)) {
            for (boolean mixed : new boolean[] {false, true}) {
                Load load = load(mixed);
                for (int round = 0; round < (SECONDS < 1 ? 1 : 2); round++) {
                    Load.Result together = load.run(gathered.server.port(), SECONDS);
                    Load.Result one = load.run(oneByOne.server.port(), SECONDS);
                    Load.Result own = load.run(alone.port(), SECONDS);
                    System.out.println((mixed ? "mixed" : "short") + " texts\n  gathered: " + together + "\n  one by one: " + one
                            + "\n  each by itself: " + own);
                    for (Load.Result result : List.of(together, one, own)) {
                        assertEquals(0, result.others());
                        assertTrue(result.answers() > 0);
                    }
                }
            }
        }
    }
}
