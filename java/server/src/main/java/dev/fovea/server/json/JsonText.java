package dev.fovea.server.json;

import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;

/**
 * JSON that is written from top to bottom. Quotes and {@code <} stand as they are, as people read them who ask by curl: what it
 * is sent as, {@code application/json} with {@code nosniff}, no browser takes for a page.
 */
public final class JsonText {
    /** Writes into a writer that never fails. */
    @FunctionalInterface
    private interface Step {
        void run() throws IOException;
    }

    private final StringWriter text = new StringWriter();
    private final JsonWriter out = new JsonWriter(text);

    /** Nothing yet. */
    public JsonText() {
        out.setSerializeNulls(true);
    }

    private JsonText write(Step step) {
        try {
            step.run();
            return this;
        } catch (IOException e) {
            throw new UncheckedIOException("a text in memory is always writable", e);
        }
    }

    /** An object. */
    public JsonText object(Consumer<JsonText> content) {
        write(out::beginObject);
        content.accept(this);
        return write(out::endObject);
    }

    /** A field that is an object. */
    public JsonText object(String name, Consumer<JsonText> content) {
        write(() -> out.name(name));
        return object(content);
    }

    /** An array. */
    public JsonText array(Consumer<JsonText> content) {
        write(out::beginArray);
        content.accept(this);
        return write(out::endArray);
    }

    /** A field that is an array. */
    public JsonText array(String name, Consumer<JsonText> content) {
        write(() -> out.name(name));
        return array(content);
    }

    /** A text, or null. */
    public JsonText put(String name, String value) {
        return write(() -> out.name(name).value(value));
    }

    /** A whole number. */
    public JsonText put(String name, long value) {
        return write(() -> out.name(name).value(value));
    }

    /** A truth value. */
    public JsonText put(String name, boolean value) {
        return write(() -> out.name(name).value(value));
    }

    /** A number as short as it can be without being another one. */
    public JsonText put(String name, float value) {
        return write(() -> out.name(name).jsonValue(Float.toString(value)));
    }

    /** Null. */
    public JsonText putNull(String name) {
        return write(() -> out.name(name).nullValue());
    }

    /** Elements of an array. */
    public JsonText values(float[] values) {
        return write(() -> {
            for (float value : values) {
                out.jsonValue(Float.toString(value));
            }
        });
    }

    /** An element of an array. */
    public JsonText value(String value) {
        return write(() -> out.value(value));
    }

    /** An element of an array. */
    public JsonText value(long value) {
        return write(() -> out.value(value));
    }

    @Override
    public String toString() {
        return text.toString();
    }

    /** In UTF-8. */
    public byte[] bytes() {
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }
}
