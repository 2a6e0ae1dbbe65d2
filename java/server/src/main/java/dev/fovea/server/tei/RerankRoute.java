package dev.fovea.server.tei;

import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Ranker;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.server.routing.TextRoute;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

/** {@code POST /rerank}: a query and texts to scores, best first. */
public final class RerankRoute extends TextRoute {
    private static final Set<String> FIELDS = Set.of("query", "texts", "truncate", "truncation_direction", "raw_scores",
            "return_text", "model");

    /** Serves the first model of this kind, or the one that a request names. */
    public RerankRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        super(models, rules, metrics);
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Ranker model = models.find(Ranker.class, body.string("model", null), "ranks texts");
        String query = body.string("query");
        rules.check(List.of(query), "query");
        if (body.get("texts") != null && !body.get("texts").isJsonArray()) {
            throw body.wrong("texts", "an array of strings");
        }
        List<String> texts = body.texts("texts");
        rules.check(texts, "texts");
        body.choice("truncation_direction", "Right", List.of("Right", "right"));
        boolean raw = body.bool("raw_scores", false);
        boolean sigmoid = model.reranker().appliesSigmoid();
        if (raw && sigmoid) {
            throw new ApiException(Kind.UNSUPPORTED, "raw_scores cannot be true: the model gives scores from 0 to 1 by its own"
                    + " files", "raw_scores");
        }
        boolean withText = body.bool("return_text", false);
        List<Float> scores = run(exchange, model.name(), model.queue(), () -> TextRules.read(texts, text -> model.reranker().input(query, text),
                body.bool("truncate", rules.truncates()), model.reranker().maxTokens(), "texts"));
        List<Integer> order = IntStream.range(0, scores.size()).boxed()
                .sorted(Comparator.comparing(scores::get).reversed()).toList();
        Route.json(exchange, new JsonText().array(all -> order.forEach(i -> all.object(one -> {
            one.put("index", i);
            if (withText) {
                one.put("text", texts.get(i));
            }
            one.put("score", raw || sigmoid ? scores.get(i) : sigmoid(scores.get(i)));
        }))).toString());
    }

    private static float sigmoid(float score) {
        return (float) (1 / (1 + Math.exp(-score)));
    }
}
