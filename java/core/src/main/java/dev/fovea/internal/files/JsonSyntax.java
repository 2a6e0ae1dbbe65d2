package dev.fovea.internal.files;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import java.io.IOException;
import java.io.Reader;

/** JSON as its specification has it, and what is wrong with a text that is none, to readers who do not know the parser. */
public final class JsonSyntax {
    /** How Gson begins the message of most syntax errors; what follows is the place. */
    private static final String ADVICE = "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON";

    private JsonSyntax() {}

    /**
     * A reader that takes nothing but JSON.
     *
     * @throws IOException if an application has pinned a Gson that cannot: Fovea needs 2.11.0 or newer
     */
    public static JsonReader strict(Reader text) throws IOException {
        JsonReader reader = new JsonReader(text);
        try {
            reader.setStrictness(Strictness.STRICT);
        } catch (NoClassDefFoundError | NoSuchMethodError e) {
            throw new IOException("this application has a Gson older than 2.11.0, the oldest that Fovea works with: use"
                    + " com.google.code.gson:gson:2.11.0 or newer", e);
        }
        return reader;
    }

    /** One line, such as {@code not valid JSON: malformed at line 1 column 2 path $.a}, of a failure of Gson. */
    public static String problem(Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            // The message of a wrapper begins with the name of the class that it wraps.
            cause = cause.getCause();
        }
        String firstLine = String.valueOf(cause.getMessage()).lines().findFirst().orElse("");
        return "not valid JSON: " + Excerpt.of(firstLine.replace(ADVICE, "malformed"), 160);
    }
}
