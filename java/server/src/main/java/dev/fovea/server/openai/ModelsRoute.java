package dev.fovea.server.openai;

import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel;
import dev.fovea.server.routing.Route;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;

/** {@code GET /v1/models}: what is served. */
public final class ModelsRoute implements Route {
    /** What the paths of single models begin with. */
    public static final String BELOW = "/v1/models/";

    private final ModelSet models;
    private final long created = System.currentTimeMillis() / 1000;

    /** Lists these models. */
    public ModelsRoute(ModelSet models) {
        this.models = models;
    }

    @Override
    public void answer(Exchange exchange) {
        Route.json(exchange, new JsonText().object(list -> list.put("object", "list").array("data",
                all -> models.all().forEach(model -> write(model, all)))).toString());
    }

    /** Answers for the one model that the path names. */
    public void one(Exchange exchange) {
        String name;
        try {
            name = URLDecoder.decode(exchange.path().substring(BELOW.length()).replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException _) {
            throw new ApiException(Kind.NO_ROUTE, "the path is not URL-encoded");
        }
        JsonText json = new JsonText();
        write(models.find(ServedModel.class, name, "is there"), json);
        Route.json(exchange, json.toString());
    }

    private void write(ServedModel model, JsonText json) {
        json.object(one -> one.put("id", model.name()).put("object", "model").put("created", created).put("owned_by", "fovea")
                .put("task", model.task()));
    }
}
