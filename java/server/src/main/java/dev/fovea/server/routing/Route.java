package dev.fovea.server.routing;

import dev.fovea.server.http.Exchange;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** What answers requests of one method and path. */
@FunctionalInterface
public interface Route {
    /** The type of JSON. */
    String JSON = "application/json";

    /**
     * Answers a request, or throws.
     *
     * @throws dev.fovea.server.json.ApiException if the request is wrong
     * @throws dev.fovea.server.http.CancelledException if nobody wants the answer any more
     */
    void answer(Exchange exchange);

    /** Answers with JSON and status 200. */
    static void json(Exchange exchange, String json) {
        exchange.respond(200, JSON, json.getBytes(StandardCharsets.UTF_8), Map.of());
    }
}
