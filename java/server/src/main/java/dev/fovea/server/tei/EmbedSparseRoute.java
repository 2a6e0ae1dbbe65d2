package dev.fovea.server.tei;

import dev.fovea.model.SparseEncoder.SparseVector;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Terms;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.server.routing.TextRoute;
import java.util.List;
import java.util.Set;

/** {@code POST /embed_sparse}: texts to weights of terms. */
public final class EmbedSparseRoute extends TextRoute {
    private static final Set<String> FIELDS = Set.of("inputs", "truncate", "truncation_direction", "model");

    /** Serves the first model of this kind, or the one that a request names. */
    public EmbedSparseRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        super(models, rules, metrics);
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Terms model = models.find(Terms.class, body.string("model", null), "gives weights of terms");
        List<String> texts = body.texts("inputs");
        rules.check(texts, "inputs");
        body.choice("truncation_direction", "Right", List.of("Right", "right"));
        List<SparseVector> results = run(exchange, model.name(), model.queue(), () -> TextRules.read(texts, model.encoder()::input,
                body.bool("truncate", rules.truncates()), model.encoder().maxTokens(), "inputs"));
        Route.json(exchange, new JsonText().array(all -> results.forEach(result -> all.array(one -> {
            for (int i = 0; i < result.ids().length; i++) {
                int term = i;
                one.object(pair -> pair.put("index", result.ids()[term]).put("value", result.weights()[term]));
            }
        }))).toString());
    }
}
