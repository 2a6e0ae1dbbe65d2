package dev.fovea.weights;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import dev.fovea.internal.files.Excerpt;
import dev.fovea.internal.files.JsonSyntax;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Reads a JSON object inside a file and takes nothing for granted: strict syntax, valid UTF-8, no key
 * twice in one object, and every value of the expected kind. What is wrong becomes a
 * {@link FormatException} that names the field.
 */
final class StrictJson {
    private final Path file;
    private final long offset;
    private final JsonReader reader;

    private StrictJson(Path file, long offset, byte[] text) throws IOException {
        this.file = file;
        this.offset = offset;
        this.reader = JsonSyntax.strict(
                new InputStreamReader(new ByteArrayInputStream(text), StandardCharsets.UTF_8.newDecoder()));
    }

    /** Reads the value of one key of an object. */
    interface Member {
        void read(String key) throws IOException;
    }

    /** Reads a document. */
    interface Document {
        void read(StrictJson json) throws IOException;
    }

    /**
     * Reads one document and makes sure that nothing but white space follows it.
     *
     * @param offset where {@code text} begins in {@code file}
     * @param field what the document is called in errors about its syntax
     */
    static void read(Path file, long offset, String field, byte[] text, Document document) throws IOException {
        StrictJson json = new StrictJson(file, offset, text);
        try {
            document.read(json);
            json.reader.peek();
        } catch (CharacterCodingException e) {
            throw new FormatException(file, offset, field, "not valid UTF-8", e);
        } catch (MalformedJsonException | EOFException | IllegalStateException e) {
            throw new FormatException(file, offset, field, JsonSyntax.problem(e), e);
        }
    }

    /** Reads an object; {@code member} must consume the value of each key. */
    void object(String field, Member member) throws IOException {
        expect(JsonToken.BEGIN_OBJECT, field);
        reader.beginObject();
        Set<String> keys = new HashSet<>();
        while (reader.hasNext()) {
            String key = reader.nextName();
            if (!keys.add(key)) {
                throw error(field + "." + key, "the key occurs twice");
            }
            member.read(key);
        }
        reader.endObject();
    }

    String string(String field) throws IOException {
        expect(JsonToken.STRING, field);
        return reader.nextString();
    }

    /** An array of integers from 0 to 2⁶³−1. */
    long[] naturals(String field) throws IOException {
        List<Long> numbers = new ArrayList<>();
        expect(JsonToken.BEGIN_ARRAY, field);
        reader.beginArray();
        while (reader.hasNext()) {
            expect(JsonToken.NUMBER, field);
            numbers.add(natural(reader.nextString(), field));
        }
        reader.endArray();
        return numbers.stream().mapToLong(Long::longValue).toArray();
    }

    private long natural(String number, String field) throws FormatException {
        try {
            if (number.chars().allMatch(c -> c >= '0' && c <= '9')) {
                return Long.parseLong(number);
            }
        } catch (NumberFormatException e) {
            throw new FormatException(file, offset, field, "expected an integer below 2^63, got " + Excerpt.of(number), e);
        }
        throw error(field, "expected an integer of 0 or more, got " + Excerpt.of(number));
    }

    void skip() throws IOException {
        reader.skipValue();
    }

    FormatException error(String field, String problem) {
        return new FormatException(file, offset, field, problem);
    }

    private void expect(JsonToken expected, String field) throws IOException {
        JsonToken found = reader.peek();
        if (found != expected) {
            throw error(field, "expected " + expected + ", got " + found);
        }
    }
}
