package dev.fovea.server.openai;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import dev.fovea.model.ChatListener.Part;
import dev.fovea.model.OutputFormat;
import dev.fovea.model.TextGenerator;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.JsonBody;
import dev.fovea.server.json.JsonText;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.text.Tokenizer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.IntStream;

/** {@code POST /v1/completions}: goes on with a text, or with token ids as they are. */
public final class CompletionsRoute extends GenerationRoute {
    private static final Set<String> FIELDS = fieldsOf("model", "prompt", "stream", "stream_options", "logprobs", "echo",
            "best_of", "suffix", "user");
    /** As with OpenAI. */
    private static final int MOST_LIKELIEST = 5;

    /** Serves the language models. */
    public CompletionsRoute(ModelSet models, ServerMetrics metrics, Function<Throwable, ApiException> translate) {
        super(models, metrics, translate);
    }

    static Set<String> fieldsOf(String... names) {
        Set<String> all = new HashSet<>(SamplingFields.NAMES);
        all.addAll(List.of(names));
        return Set.copyOf(all);
    }

    @Override
    Set<String> fields() {
        return FIELDS;
    }

    @Override
    String prefix() {
        return "cmpl-";
    }

    @Override
    Prompt prompt(JsonBody body, TextGenerator model) {
        return Prompt.of(ids(body, model), model);
    }

    private static int[] ids(JsonBody body, TextGenerator model) {
        body.allowOnlyValue("echo", "false");
        body.allowOnlyValue("best_of", "1");
        body.allowOnlyValue("suffix", "\"\"");
        JsonElement prompt = body.get("prompt");
        if (prompt instanceof JsonArray array && array.size() == 1 && array.get(0).isJsonArray()) {
            prompt = array.get(0);
        }
        int[] ids = SamplingFields.ids(prompt);
        if (ids != null) {
            return ids;
        }
        if (prompt instanceof JsonArray array && array.size() != 1) {
            throw body.wrong("prompt", "one text, or one array of token ids");
        }
        Tokenizer tokenizer = model.tokenizer();
        return IntStream.concat(IntStream.of(tokenizer.prefix()),
                IntStream.of(tokenizer.encode(body.texts("prompt").getFirst()))).toArray();
    }

    @Override
    int likeliest(JsonBody body) {
        return (int) body.integer("logprobs", -1, 0, MOST_LIKELIEST);
    }

    @Override
    void writeWhole(JsonText choice, Answer answer, LogProbabilities logProbabilities) {
        choice.put("text", answer.content());
        if (logProbabilities == null) {
            choice.putNull("logprobs");
        } else {
            logProbabilities.writeCompletion(choice);
        }
    }

    @Override
    OutputFormat format(JsonBody body) {
        return null;
    }

    @Override
    void writeCalls(JsonText choice, Answer answer) {
        throw new IllegalStateException("completions know no tools");
    }

    @Override
    String object(boolean piece) {
        return "text_completion";
    }

    @Override
    void writePiece(JsonText choice, Part part, CharSequence text, boolean first) {
        choice.put("text", text.toString());
    }

    @Override
    void writeLogProbabilities(JsonText choice, LogProbabilities logProbabilities) {
        logProbabilities.writeCompletion(choice);
    }

    @Override
    boolean beginsWithRole() {
        return false;
    }
}
