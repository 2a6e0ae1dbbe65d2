package dev.fovea.server.page;

import dev.fovea.model.AttentionPattern;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Embedder;
import dev.fovea.server.routing.Route;
import java.util.Set;

/**
 * {@code POST /fovea/attention}: what each token of a text attends to, in one layer and head, or in the mean of all. Layers and
 * heads are counted from 0; −1 is the mean.
 */
public final class AttentionRoute implements Route {
    private static final Set<String> FIELDS = Set.of("model", "text", "layer", "head");
    private static final int MAX_TOKENS = 128;

    private final ModelSet models;

    /** Shows the models that give vectors. */
    public AttentionRoute(ModelSet models) {
        this.models = models;
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Embedder model = models.find(Embedder.class, body.string("model", null), "gives vectors");
        String text = body.string("text");
        int tokens = model.encoder().input(text).tokens();
        if (tokens > MAX_TOKENS) {
            throw new ApiException(Kind.TOO_LONG, "attention is shown of texts of at most " + MAX_TOKENS + " tokens, got "
                    + tokens, "text");
        }
        AttentionPattern pattern = model.encoder().explain(text);
        int layer = (int) body.integer("layer", -1, -1, pattern.layers() - 1);
        int head = (int) body.integer("head", -1, -1, pattern.heads() - 1);
        Route.json(exchange, new JsonText().object(one -> {
            one.put("model", model.name()).put("layers", pattern.layers()).put("heads", pattern.heads())
                    .put("layer", layer).put("head", head);
            one.array("tokens", all -> pattern.queryTokens().forEach(all::value));
            one.array("weights", rows -> {
                for (int query = 0; query < pattern.queryTokens().size(); query++) {
                    float[] row = row(pattern, layer, head, query);
                    rows.array(values -> values.values(row));
                }
            });
        }).toString());
    }

    private static float[] row(AttentionPattern pattern, int layer, int head, int query) {
        float[] row = new float[pattern.keyTokens().size()];
        int layers = layer < 0 ? pattern.layers() : 1;
        int heads = head < 0 ? pattern.heads() : 1;
        for (int key = 0; key < row.length; key++) {
            double sum = 0;
            for (int l = 0; l < layers; l++) {
                for (int h = 0; h < heads; h++) {
                    sum += pattern.at(layer < 0 ? l : layer, head < 0 ? h : head, query, key);
                }
            }
            row[key] = Math.round(sum / (layers * heads) * 10_000) / 10_000f;
        }
        return row;
    }
}
