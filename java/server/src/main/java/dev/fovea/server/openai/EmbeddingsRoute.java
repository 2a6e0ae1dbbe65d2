package dev.fovea.server.openai;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.model.EncoderInput;
import dev.fovea.model.TextEmbedding;
import dev.fovea.model.TextEncoder;
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
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** {@code POST /v1/embeddings}: texts, or token ids, to vectors. */
public final class EmbeddingsRoute extends TextRoute {
    private static final Set<String> FIELDS = Set.of("input", "model", "encoding_format", "dimensions", "user");

    /** Serves the models that give vectors. */
    public EmbeddingsRoute(ModelSet models, TextRules rules, ServerMetrics metrics) {
        super(models, rules, metrics);
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Embedder model = models.find(Embedder.class, body.string("model", null), "gives vectors");
        boolean base64 = body.choice("encoding_format", "float", List.of("float", "base64")).equals("base64");
        int dimensions = Vectors.dimensions(body, model.encoder());
        List<TextEmbedding> results = run(exchange, model.name(), model.queue(), () -> inputs(body, model.encoder()));
        boolean normalizes = Vectors.areNormalized(model.encoder());
        Route.json(exchange, new JsonText().object(list -> {
            list.put("object", "list").array("data", data -> {
                for (int i = 0; i < results.size(); i++) {
                    int index = i;
                    float[] vector = Vectors.cut(results.get(i).vector(), dimensions, normalizes);
                    data.object(one -> {
                        one.put("object", "embedding").put("index", index);
                        if (base64) {
                            one.put("embedding", Vectors.base64(vector));
                        } else {
                            one.array("embedding", numbers -> numbers.values(vector));
                        }
                    });
                }
            });
            long all = results.stream().mapToLong(TextEmbedding::tokens).sum();
            list.put("model", model.name()).object("usage", usage -> usage.put("prompt_tokens", all).put("total_tokens", all));
        }).toString());
    }

    private List<EncoderInput<TextEmbedding>> inputs(JsonBody body, TextEncoder encoder) {
        List<int[]> ids = ids(body);
        if (ids != null) {
            rules.checkCount(ids.size(), "input");
            return TextRules.read(ids, encoder::inputOfIds, rules.truncates(), encoder.maxTokens(), "input");
        }
        List<String> texts = body.texts("input");
        rules.check(texts, "input");
        return TextRules.read(texts, encoder::input, rules.truncates(), encoder.maxTokens(), "input");
    }

    /** Token ids of one text, or of several; null if the input is texts. */
    private static List<int[]> ids(JsonBody body) {
        JsonElement input = body.get("input");
        if (!(input instanceof JsonArray array) || array.isEmpty()) {
            return null;
        }
        int[] one = SamplingFields.ids(input);
        if (one != null) {
            return List.of(one);
        }
        if (!array.get(0).isJsonArray()) {
            return null;
        }
        List<int[]> all = new ArrayList<>(array.size());
        for (JsonElement element : array) {
            int[] ids = SamplingFields.ids(element);
            if (ids == null) {
                throw new ApiException(Kind.INVALID, "expected input to be texts, or arrays of token ids", "input");
            }
            all.add(ids);
        }
        return all;
    }
}
