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
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * What gathering the texts of 32 clients is worth. {@code -Dfovea.measure=SECONDS} measures for so long a side, three times in
 * turn, and prints the median; else each runs for a moment. {@code -Dfovea.measure.against=PORT} measures the service of
 * {@code java/it/onnx}, or another one that answers {@code POST /embed}, beside them.
 */
class ThroughputTest {
    private static final boolean MEASURES = System.getProperty("fovea.measure") != null;
    private static final double SECONDS = Double.parseDouble(System.getProperty("fovea.measure", "0.2"));
    private static final int ROUNDS = MEASURES ? 3 : 1;

    /** What clients send, by what it is called. */
    private static Map<String, List<String>> texts() {
        Map<String, List<String>> texts = new LinkedHashMap<>();
        texts.put("3 to 5 words", List.of("How do I reset my password?", "I forgot my login", "Nice weather today"));
        if (MEASURES) {
            texts.put("12 words", Load.texts(50, 12, 12));
        }
        texts.put("3 to 120 words", Load.texts(200, 3, 120));
        return texts;
    }

    private static Load load(List<String> texts) {
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
    void shouldAnswerAllOfThirtyTwoClients() throws Exception {
        var single = TestServer.options().withLimits(ServerLimits.defaults().withTokens(1, 1 << 18));
        EncoderOptions oneThread = EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(1));
        List<String> model = List.of(TestServer.EMBEDDER);
        try (TestServer gathered = TestServer.start(TestServer.options(), model, EncoderOptions.defaults());
                TestServer oneByOne = TestServer.start(single, model, EncoderOptions.defaults());
                TextEncoder encoder = TextEncoder.load(TestServer.EMBEDDER, oneThread);
                HttpFront alone = alone(encoder)) {
            Map<String, Integer> sides = new LinkedHashMap<>();
            sides.put("gathered", gathered.server.port());
            sides.put("one text at a time on each thread", oneByOne.server.port());
            sides.put("each request by itself", alone.port());
            if (Integer.getInteger("fovea.measure.against") != null) {
                sides.put("the other service", Integer.getInteger("fovea.measure.against"));
            }
            for (Map.Entry<String, List<String>> kind : texts().entrySet()) {
                measure(kind.getKey(), load(kind.getValue()), sides);
            }
        }
    }

    private static void measure(String kind, Load load, Map<String, Integer> sides) throws Exception {
        Map<String, List<Load.Result>> results = new LinkedHashMap<>();
        for (int round = 0; round < ROUNDS; round++) {
            for (Map.Entry<String, Integer> side : sides.entrySet()) {
                load.run(side.getValue(), SECONDS / 2); // warms up
                Load.Result result = load.run(side.getValue(), SECONDS);
                assertEquals(0, result.others());
                assertTrue(result.answers() > 0);
                results.computeIfAbsent(side.getKey(), _ -> new ArrayList<>()).add(result);
            }
        }
        results.forEach((side, all) -> {
            all.sort(Comparator.comparingDouble(Load.Result::perSecond));
            System.out.println("texts of " + kind + ", " + side + ": " + all.get(all.size() / 2));
        });
    }
}
