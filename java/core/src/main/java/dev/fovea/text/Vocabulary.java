package dev.fovea.text;

import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import dev.fovea.weights.FormatException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** The vocabulary of a tokenizer, token to id. Tens of thousands of tokens, so read in one pass. */
final class Vocabulary {
    /** The largest id that a token may have. */
    static final int MAX_ID = Integer.MAX_VALUE - 1;

    private final Map<String, Integer> ids = new HashMap<>(1 << 16);
    private final StringBuilder json = new StringBuilder(1 << 20);
    private int maxId;

    /** Reads the object that {@code reader} is at; {@code field} stands for it in errors. */
    static Vocabulary read(Path file, String field, JsonReader reader) throws IOException {
        Vocabulary vocabulary = new Vocabulary();
        if (reader.peek() != JsonToken.BEGIN_OBJECT) {
            throw new FormatException(file, -1, field, "expected an object, got " + reader.peek());
        }
        reader.beginObject();
        vocabulary.json.append('{');
        while (reader.hasNext()) {
            String token = reader.nextName();
            if (reader.peek() != JsonToken.NUMBER) {
                throw new FormatException(file, -1, field + "." + token, "expected an integer, got " + reader.peek());
            }
            int id = reader.nextInt();
            if (id < 0 || id > MAX_ID) {
                throw new FormatException(
                        file, -1, field + "." + token, "expected an id from 0 to " + MAX_ID + ", got " + id);
            }
            if (vocabulary.ids.put(token, id) != null) {
                throw new FormatException(file, -1, field + "." + token, "the token occurs twice");
            }
            vocabulary.append(token, id);
        }
        reader.endObject();
        vocabulary.json.append('}');
        return vocabulary;
    }

    /** The id of {@code token}, or null. */
    Integer id(String token) {
        return ids.get(token);
    }

    int size() {
        return ids.size();
    }

    int maxId() {
        return maxId;
    }

    /** The same vocabulary as JSON. */
    CharSequence json() {
        return json;
    }

    private void append(String token, int id) {
        maxId = Math.max(maxId, id);
        json.append(json.length() == 1 ? "\"" : ",\"");
        if (isPlain(token)) {
            json.append(token);
        } else {
            token.chars().forEach(c -> json.append(
                    isPlain((char) c) ? String.valueOf((char) c) : String.format("\\u%04x", c)));
        }
        json.append("\":").append(id);
    }

    private static boolean isPlain(String token) {
        for (int i = 0; i < token.length(); i++) {
            if (!isPlain(token.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether JSON needs no escape for it; surrogates are escaped so that the library refuses what is not paired. */
    private static boolean isPlain(char c) {
        return c >= ' ' && c != '"' && c != '\\' && !Character.isSurrogate(c);
    }
}
