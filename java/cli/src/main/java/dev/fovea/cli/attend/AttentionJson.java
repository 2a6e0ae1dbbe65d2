package dev.fovea.cli.attend;

import com.google.gson.stream.JsonWriter;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Patterns as JSON: {@code {"model":…,"text":…,"queries":[…],"keys":[…],"layers":[{"layer":1,"heads":[{"head":1,
 * "weights":[[…]]}]}]}}, a row of weights per query. Weights parse back to the same binary32. A mean has {@code "mean"}
 * for its number.
 */
public final class AttentionJson {
    private AttentionJson() {}

    /** Writes the maps of these layers and heads, in this order, as {@link Choice} numbers them. */
    public static void write(Attention attention, List<Integer> layers, List<Integer> heads, OutputStream out)
            throws IOException {
        BufferedWriter writer = new BufferedWriter(new OutputStreamWriter(out, StandardCharsets.UTF_8));
        JsonWriter json = new JsonWriter(writer);
        json.beginObject();
        json.name("model").value(attention.model());
        json.name("text").value(attention.text());
        tokens(json.name("queries"), attention.queries());
        tokens(json.name("keys"), attention.keys());
        json.name("layers").beginArray();
        for (int layer : layers) {
            json.beginObject();
            number(json.name("layer"), layer);
            json.name("heads").beginArray();
            for (int head : heads) {
                json.beginObject();
                number(json.name("head"), head);
                weights(json.name("weights"), attention.map(new Choice(layer, head)).weights());
                json.endObject();
            }
            json.endArray().endObject();
        }
        json.endArray().endObject().flush();
        writer.write('\n');
        writer.flush();
    }

    private static void tokens(JsonWriter json, List<String> tokens) throws IOException {
        json.beginArray();
        for (String token : tokens) {
            json.value(token);
        }
        json.endArray();
    }

    private static void number(JsonWriter json, int number) throws IOException {
        if (number == Choice.MEAN) {
            json.value("mean");
        } else {
            json.value(number);
        }
    }

    private static void weights(JsonWriter json, float[][] weights) throws IOException {
        json.beginArray();
        for (float[] row : weights) {
            json.beginArray();
            for (float weight : row) {
                json.value(weight);
            }
            json.endArray();
        }
        json.endArray();
    }
}
