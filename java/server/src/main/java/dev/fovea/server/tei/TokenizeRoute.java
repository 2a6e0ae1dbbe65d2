package dev.fovea.server.tei;

import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel.Embedder;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.routing.Route;
import dev.fovea.text.ModelInput;
import dev.fovea.text.Tokenizer;
import java.util.List;
import java.util.Set;

/** {@code POST /tokenize}: texts to tokens, and where they stand, in characters. */
public final class TokenizeRoute implements Route {
    private static final Set<String> FIELDS = Set.of("inputs", "add_special_tokens", "model");

    private final ModelSet models;
    private final TextRules rules;

    /** Serves the first model that gives vectors, or the one that a request names. */
    public TokenizeRoute(ModelSet models, TextRules rules) {
        this.models = models;
        this.rules = rules;
    }

    @Override
    public void answer(Exchange exchange) {
        JsonBody body = JsonBody.parse(exchange.body()).allowOnly(FIELDS);
        Tokenizer tokenizer = models.find(Embedder.class, body.string("model", null), "gives vectors").encoder().tokenizer();
        List<String> texts = body.texts("inputs");
        rules.check(texts, "inputs");
        boolean special = body.bool("add_special_tokens", true);
        Route.json(exchange, new JsonText().array(all -> texts.forEach(text ->
                all.array(one -> write(text, tokenizer, special, one)))).toString());
    }

    private static void write(String text, Tokenizer tokenizer, boolean withSpecial, JsonText json) {
        ModelInput input = tokenizer.input(text, Integer.MAX_VALUE);
        int seen = 0;
        int characters = 0;
        for (int i = 0; i < input.ids().length; i++) {
            int id = input.ids()[i];
            if (input.texts()[i] < 0) {
                if (withSpecial) {
                    json.object(token -> token.put("id", id).put("text", tokenizer.text(id)).put("special", true)
                            .putNull("start").putNull("stop"));
                }
                continue;
            }
            int start = input.starts()[i];
            int end = input.ends()[i];
            characters += start >= seen ? text.codePointCount(seen, start) : -text.codePointCount(start, seen);
            seen = start;
            int from = characters;
            int to = characters + text.codePointCount(start, end);
            json.object(token -> token.put("id", id).put("text", text.substring(start, end))
                    .put("special", tokenizer.isSpecial(id)).put("start", from).put("stop", to));
        }
    }
}
