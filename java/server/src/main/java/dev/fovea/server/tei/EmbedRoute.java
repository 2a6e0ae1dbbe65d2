package dev.fovea.server.tei;

import dev.fovea.model.TextEmbedding;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Embedder;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.models.Vectors;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.server.routing.TextRoute;
import java.util.List;
import java.util.Set;

/** {@code POST /embed}: texts to vectors. */
public final class EmbedRoute extends TextRoute {
    private static final Set<String> FIELDS = Set.of("inputs", "truncate", "truncation_direction", "prompt_name", "normalize",
            "dimensions", "model");

    /** Serves the first model of this kind, or the one that a request names. */
    public EmbedRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        super(models, rules, metrics);
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Embedder model = models.find(Embedder.class, body.string("model", null), "gives vectors");
        List<String> texts = body.texts("inputs");
        rules.check(texts, "inputs");
        body.choice("truncation_direction", "Right", List.of("Right", "right"));
        boolean normalizes = body.bool("normalize", true);
        if (!normalizes && Vectors.areNormalized(model.encoder())) {
            throw new ApiException(Kind.UNSUPPORTED, "normalize cannot be false: the model's vectors are of length 1 by its own"
                    + " files", "normalize");
        }
        int dimensions = Vectors.dimensions(body, model.encoder());
        String prompt = prompt(body, model);
        List<TextEmbedding> results = run(exchange, model.name(), model.queue(), () -> TextRules.read(texts,
                text -> prompt == null ? model.encoder().input(text) : model.encoder().input(text, prompt),
                body.bool("truncate", rules.truncates()), model.encoder().maxTokens(), "inputs"));
        Route.json(exchange, new JsonText().array(all -> results.forEach(result ->
                all.array(one -> one.values(Vectors.cut(result.vector(), dimensions, normalizes))))).toString());
    }

    /** The text of a prompt of the model; null for its default. */
    private static String prompt(JsonBody body, Embedder model) {
        String name = body.string("prompt_name", null);
        if (name == null) {
            return null;
        }
        String prompt = model.encoder().prompts().get(name);
        if (prompt == null) {
            throw body.wrong("prompt_name", "one of the model's prompts, " + model.encoder().prompts().keySet());
        }
        return name;
    }
}
