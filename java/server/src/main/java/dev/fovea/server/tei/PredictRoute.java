package dev.fovea.server.tei;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonPrimitive;
import dev.fovea.model.TextClassifier.Label;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Classifier;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.server.routing.TextRoute;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** {@code POST /predict}: texts, or pairs of them, to labels. */
public final class PredictRoute extends TextRoute {
    private static final Set<String> FIELDS = Set.of("inputs", "truncate", "truncation_direction", "raw_scores", "model");
    private static final String EXPECTED = "a string, a pair [string, string], or a batch [[string], [string, string], …]";

    /** Serves the first model of this kind, or the one that a request names. */
    public PredictRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        super(models, rules, metrics);
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Classifier model = models.find(Classifier.class, body.string("model", null), "labels texts");
        body.allowOnlyValue("raw_scores", "false");
        body.choice("truncation_direction", "Right", List.of("Right", "right"));
        boolean batch = body.get("inputs") instanceof JsonArray array && !array.isEmpty() && array.get(0).isJsonArray();
        List<List<String>> texts = texts(body, batch);
        rules.checkCount(texts.size(), "inputs");
        texts.forEach(one -> rules.check(one, "inputs"));
        List<List<Label>> results = run(exchange, model.name(), model.queue(), () -> TextRules.read(texts, one -> one.size() == 1
                ? model.classifier().input(one.getFirst()) : model.classifier().input(one.getFirst(), one.getLast()),
                body.bool("truncate", rules.truncates()), model.classifier().maxTokens(), "inputs"));
        JsonText json = new JsonText();
        if (batch) {
            json.array(all -> results.forEach(labels -> write(labels, all)));
        } else {
            write(results.getFirst(), json);
        }
        Route.json(exchange, json.toString());
    }

    private static void write(List<Label> labels, JsonText json) {
        json.array(all -> labels.forEach(label -> all.object(one -> one.put("score", label.score()).put("label", label.name()))));
    }

    private static List<List<String>> texts(JsonBody body, boolean batch) {
        if (!batch) {
            List<String> one = body.texts("inputs");
            if (one.size() > 2) {
                throw body.wrong("inputs", EXPECTED);
            }
            return one.isEmpty() ? List.of() : List.of(one);
        }
        List<List<String>> all = new ArrayList<>();
        for (JsonElement element : body.get("inputs").getAsJsonArray()) {
            if (!(element instanceof JsonArray array) || array.isEmpty() || array.size() > 2) {
                throw body.wrong("inputs", EXPECTED);
            }
            List<String> one = new ArrayList<>();
            for (JsonElement text : array) {
                if (!(text instanceof JsonPrimitive value) || !value.isString()) {
                    throw body.wrong("inputs", EXPECTED);
                }
                one.add(value.getAsString());
            }
            all.add(one);
        }
        return all;
    }
}
