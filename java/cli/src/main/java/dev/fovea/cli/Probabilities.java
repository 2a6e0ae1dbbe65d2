package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.model.GeneratedText;
import dev.fovea.model.GeneratedText.Alternative;
import dev.fovea.model.TextGenerator;
import java.io.IOException;
import java.util.List;
import java.util.Locale;

/**
 * What a model considered, token by token.
 *
 * @param generator has the tokens' texts
 */
record Probabilities(TextGenerator generator) {
    /** A line for each token: its probability and its text, and behind it the likeliest with theirs. */
    String table(GeneratedText result) {
        var table = new StringBuilder();
        for (int i = 0; i < result.tokens().length; i++) {
            table.append(percent(result.logProbabilities()[i])).append("  ").append(name(result.tokens()[i])).append("   of");
            for (Alternative one : result.alternatives().get(i)) {
                table.append("  ").append(name(one.token())).append(percent(one.logProbability()));
            }
            table.append('\n');
        }
        return table.toString();
    }

    private static String percent(float logProbability) {
        return String.format(Locale.ROOT, "%6.2f %%", 100 * Math.exp(logProbability));
    }

    /** In quotes, since many tokens begin with a space; the id where there is no text. */
    private String name(int token) {
        return generator.hasTokenizer() ? '\'' + Excerpt.of(generator.token(token)) + '\'' : Integer.toString(token);
    }

    /** An object for each token, with the likeliest in its place. */
    void write(GeneratedText result, JsonWriter out) throws IOException {
        out.beginArray();
        for (int i = 0; i < result.tokens().length; i++) {
            out.beginObject();
            write(result.tokens()[i], result.logProbabilities()[i], out);
            out.name("likeliest").beginArray();
            List<Alternative> alternatives = result.alternatives().get(i);
            for (Alternative one : alternatives) {
                out.beginObject();
                write(one.token(), one.logProbability(), out);
                out.endObject();
            }
            out.endArray().endObject();
        }
        out.endArray();
    }

    private void write(int token, float logProbability, JsonWriter out) throws IOException {
        out.name("token").value(token);
        if (generator.hasTokenizer()) {
            out.name("text").value(generator.token(token));
        }
        out.name("probability").value(Math.exp(logProbability));
    }
}
