package dev.fovea.server.tei;

import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.routing.Route;
import java.util.List;
import java.util.Locale;

/** {@code GET /info}: what is served, the first model in the words of Text Embeddings Inference, and the limits. */
public final class InfoRoute implements Route {
    private final ModelSet models;
    private final TextRules rules;
    private final int maxRequests;
    private final String version;

    /** Tells of these models and limits. */
    public InfoRoute(ModelSet models, TextRules rules, int maxRequests, String version) {
        this.models = models;
        this.rules = rules;
        this.maxRequests = maxRequests;
        this.version = version;
    }

    @Override
    public void answer(Exchange exchange) {
        ServedModel first = models.all().getFirst();
        Route.json(exchange, new JsonText().object(info -> {
            info.put("model_id", first.name()).putNull("model_sha").put("model_dtype", dtype(first));
            info.object("model_type", type -> type(first, type));
            info.put("max_concurrent_requests", maxRequests).put("max_input_length", maxTokens(first))
                    .put("max_batch_tokens", batchTokens(first)).putNull("max_batch_requests")
                    .put("max_client_batch_size", rules.maxClientBatch()).put("auto_truncate", rules.truncates())
                    .put("tokenization_workers", Runtime.getRuntime().availableProcessors())
                    .put("version", version).putNull("sha").putNull("docker_label");
            info.array("models", all -> models.all().forEach(model -> all.object(one -> one.put("id", model.name())
                    .put("task", model.task()).put("max_input_length", maxTokens(model)))));
        }).toString());
    }

    private static String dtype(ServedModel model) {
        return switch (model) {
            case ServedModel.Embedder embedder -> embedder.encoder().weights().name().toLowerCase(Locale.ROOT)
                    .replace("f32", "float32").replace("bf16", "bfloat16").replace("f16", "float16");
            default -> null;
        };
    }

    private static void type(ServedModel model, JsonText json) {
        switch (model) {
            case ServedModel.Embedder embedder -> json.object("embedding", one -> one.put("pooling", embedder.encoder().pooling()));
            case ServedModel.Terms _ -> json.object("embedding", one -> one.put("pooling", "splade"));
            case ServedModel.Ranker _ -> json.object("reranker", _ -> { });
            case ServedModel.Classifier classifier -> json.object("classifier", one -> labels(classifier.classifier().labels(), one));
            case ServedModel.Writer _ -> json.object("generator", _ -> { });
        }
    }

    private static void labels(List<String> labels, JsonText json) {
        json.object("id2label", all -> {
            for (int i = 0; i < labels.size(); i++) {
                all.put(Integer.toString(i), labels.get(i));
            }
        });
        json.object("label2id", all -> {
            for (int i = 0; i < labels.size(); i++) {
                all.put(labels.get(i), i);
            }
        });
    }

    /** Tokens of a batch; of a language model's prompts, which are not gathered, the longest. */
    private static int batchTokens(ServedModel model) {
        return switch (model) {
            case ServedModel.Embedder embedder -> embedder.queue().options().batchTokens();
            case ServedModel.Terms terms -> terms.queue().options().batchTokens();
            case ServedModel.Ranker ranker -> ranker.queue().options().batchTokens();
            case ServedModel.Classifier classifier -> classifier.queue().options().batchTokens();
            case ServedModel.Writer writer -> maxTokens(writer);
        };
    }

    private static int maxTokens(ServedModel model) {
        return switch (model) {
            case ServedModel.Embedder embedder -> embedder.encoder().maxTokens();
            case ServedModel.Terms terms -> terms.encoder().maxTokens();
            case ServedModel.Ranker ranker -> ranker.reranker().maxTokens();
            case ServedModel.Classifier classifier -> classifier.classifier().maxTokens();
            case ServedModel.Writer writer -> writer.generator().model().context();
        };
    }
}
