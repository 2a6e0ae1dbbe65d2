package dev.fovea.server.page;

import dev.fovea.model.AttentionPattern;
import dev.fovea.model.Chat;
import dev.fovea.model.ChatMessage;
import dev.fovea.model.TextEncoder;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Embedder;
import dev.fovea.server.models.ServedModel.Writer;
import dev.fovea.server.openai.ChatFields;
import dev.fovea.server.routing.Route;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * {@code POST /fovea/attention}: what each token of a text attends to, in one layer and head, or in the mean of all; of a
 * language model, of a text or of the first tokens of a chat. Layers and heads are counted from 0; −1 is the mean. Patterns
 * are large, so there is one at a time.
 */
public final class AttentionRoute implements Route {
    private static final Set<String> FIELDS = Set.of("model", "text", "messages", "layer", "head");
    private static final int MAX_TOKENS = 256;

    private final ModelSet models;
    private final ReentrantLock turn = new ReentrantLock(true);

    /** Shows the models that give vectors and those that write texts. */
    public AttentionRoute(ModelSet models) {
        this.models = models;
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        String name = body.string("model", null);
        turn.lock();
        try {
            if (body.has("messages") || !models.has(Embedder.class, name) && models.has(Writer.class, name)) {
                Writer writer = models.find(Writer.class, name, "writes texts");
                write(exchange, body, writer.name(), writer.generator().write(exchange.cancellation(),
                        () -> explain(body, writer.generator().model())));
            } else {
                Embedder embedder = models.find(Embedder.class, name, "gives vectors");
                write(exchange, body, embedder.name(), explain(body, embedder.encoder()));
            }
        } finally {
            turn.unlock();
        }
    }

    private static AttentionPattern explain(JsonBody body, TextEncoder encoder) {
        String text = body.string("text");
        requireFew(encoder.input(text).tokens(), "text");
        return encoder.explain(text);
    }

    private static AttentionPattern explain(JsonBody body, TextGenerator model) {
        if (!body.has("messages")) {
            String text = body.string("text");
            requireFew(model.tokenizer().encode(text).length, "text");
            return model.explain(text);
        }
        if (body.has("text")) {
            throw new ApiException(Kind.INVALID, "expected text or messages, got both", "messages");
        }
        List<ChatMessage> messages = ChatFields.messages(body);
        boolean answered = messages.size() > 1 && messages.getLast().role().equals("assistant");
        Chat chat = Chat.of(answered ? messages.subList(0, messages.size() - 1) : messages);
        String answer = answered ? messages.getLast().content() : "";
        return model.explain(chat, answer, MAX_TOKENS);
    }

    private static void requireFew(int tokens, String field) {
        if (tokens > MAX_TOKENS) {
            throw new ApiException(Kind.TOO_LONG, "attention is shown of texts of at most " + MAX_TOKENS + " tokens, got "
                    + tokens, field);
        }
    }

    private static void write(Exchange exchange, JsonBody body, String model, AttentionPattern pattern) {
        int layer = (int) body.integer("layer", -1, -1, pattern.layers() - 1);
        int head = (int) body.integer("head", -1, -1, pattern.heads() - 1);
        Route.json(exchange, new JsonText().object(one -> {
            one.put("model", model).put("layers", pattern.layers()).put("heads", pattern.heads())
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
