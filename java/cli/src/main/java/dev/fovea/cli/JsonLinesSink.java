package dev.fovea.cli;

import com.google.gson.stream.JsonWriter;
import dev.fovea.model.TextEmbedding;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;

/**
 * Writes a JSON object per line: {@code {"text":…,"tokens":…,"embedding":[…]}}, with {@code "truncated":true} after
 * the tokens where the model read only the first of them. Components parse back to the same binary32.
 */
final class JsonLinesSink implements EmbeddingSink {
    private final Writer out;
    /** The file that is written; null for standard output. */
    private final OutputFile file;

    private final boolean signed;

    private JsonLinesSink(Writer out, OutputFile file, boolean signed) {
        this.out = out;
        this.file = file;
        this.signed = signed;
    }

    /** Writes to standard output; {@code signed} says what bytes are. */
    static JsonLinesSink to(Streams streams, boolean signed) {
        return new JsonLinesSink(new BufferedWriter(streams.writer()), null, signed);
    }

    /** Writes to {@code file}, which the sink closes. */
    static JsonLinesSink to(OutputFile file, boolean signed) {
        Writer writer = new OutputStreamWriter(Channels.newOutputStream(file.channel()), StandardCharsets.UTF_8);
        return new JsonLinesSink(new BufferedWriter(writer), file, signed);
    }

    @Override
    public void write(String text, TextEmbedding embedding, byte[] bytes) throws IOException {
        JsonWriter json = new JsonWriter(out);
        json.beginObject();
        json.name("text").value(text);
        json.name("tokens").value(embedding.tokens());
        if (embedding.truncated()) {
            json.name("truncated").value(true);
        }
        json.name("embedding").beginArray();
        if (bytes == null) {
            for (float component : embedding.vector()) {
                json.value(component);
            }
        } else {
            for (byte component : bytes) {
                json.value(signed ? component : component & 0xff);
            }
        }
        json.endArray().endObject();
        out.write('\n');
    }

    @Override
    public void flush() throws IOException {
        out.flush();
    }

    @Override
    public void commit() throws IOException {
        out.flush();
        if (file != null) {
            file.commit();
        }
    }

    @Override
    public void close() throws IOException {
        if (file != null) {
            file.close();
        }
    }
}
