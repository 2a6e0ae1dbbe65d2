package dev.fovea.server.openai;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import dev.fovea.model.SamplingOptions;
import dev.fovea.server.json.JsonBody;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

/** How a request wants a text to be written. */
final class SamplingFields {
    /** Fields of chats and of completions: those of OpenAI, and {@code top_k}, {@code min_p} and {@code repetition_penalty}. */
    static final Set<String> NAMES = Set.of("temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty",
            "repetition_penalty", "logit_bias", "seed", "stop", "n", "max_tokens", "max_completion_tokens");

    private static final int MAX_STOPS = 16;

    private SamplingFields() {}

    /** By default at temperature 1 with a random seed, until the context is full. */
    static SamplingOptions read(JsonBody body, int context) {
        body.allowOnlyValue("n", "1");
        long seed = body.integer("seed", ThreadLocalRandom.current().nextLong(1L << 53), Long.MIN_VALUE, Long.MAX_VALUE);
        int most = (int) body.integer("max_tokens", context, 1, Integer.MAX_VALUE);
        most = (int) body.integer("max_completion_tokens", most, 1, Integer.MAX_VALUE);
        return SamplingOptions.sampling(body.number("temperature", 1, 0, 2), seed).withMaxTokens(most)
                .withTopP(Math.max(Float.MIN_VALUE, body.number("top_p", 1, 0, 1)))
                .withTopK((int) body.integer("top_k", 0, 0, Integer.MAX_VALUE))
                .withMinP(body.number("min_p", 0, 0, 1))
                .withPenalties(body.number("repetition_penalty", 1, 0.01, 100), body.number("presence_penalty", 0, -2, 2),
                        body.number("frequency_penalty", 0, -2, 2))
                .withLogitBias(bias(body)).withStops(stops(body));
    }

    private static String[] stops(JsonBody body) {
        if (!body.has("stop")) {
            return new String[0];
        }
        List<String> stops = body.texts("stop");
        if (stops.size() > MAX_STOPS || stops.contains("")) {
            throw body.wrong("stop", "at most " + MAX_STOPS + " texts, none of them empty");
        }
        return stops.toArray(String[]::new);
    }

    private static Map<Integer, Float> bias(JsonBody body) {
        if (!body.has("logit_bias")) {
            return Map.of();
        }
        Map<Integer, Float> all = new HashMap<>();
        for (Map.Entry<String, Object> entry : body.object("logit_bias").plain().entrySet()) {
            if (!entry.getKey().matches("[0-9]{1,9}") || !(entry.getValue() instanceof Number value)
                    || Math.abs(value.doubleValue()) > 100) {
                throw body.wrong("logit_bias", "numbers from -100 to 100 by the ids of tokens");
            }
            // As with OpenAI, -100 keeps a token out.
            all.put(Integer.valueOf(entry.getKey()), value.doubleValue() == -100 ? Float.NEGATIVE_INFINITY : value.floatValue());
        }
        return all;
    }

    /** Token ids of an array, or null if it is not one of whole numbers. */
    static int[] ids(JsonElement element) {
        if (!(element instanceof JsonArray array) || array.isEmpty()) {
            return null;
        }
        int[] ids = new int[array.size()];
        for (int i = 0; i < ids.length; i++) {
            if (!(array.get(i) instanceof JsonPrimitive value) || !value.isNumber() || !value.getAsString().matches("[0-9]{1,9}")) {
                return null;
            }
            ids[i] = Integer.parseInt(value.getAsString());
        }
        return ids;
    }

    /** Whether a value is an object of one field with this value, such as {@code {"type": "text"}}. */
    static boolean isType(JsonElement element, String type) {
        return element instanceof JsonObject object && object.size() == 1 && object.get("type") instanceof JsonPrimitive value
                && value.isString() && value.getAsString().equals(type);
    }
}
