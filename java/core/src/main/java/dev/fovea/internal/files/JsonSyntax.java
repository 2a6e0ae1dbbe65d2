package dev.fovea.internal.files;

/** Says what is wrong with a text that is not JSON, to readers who do not know the parser. */
public final class JsonSyntax {
    /** How Gson begins the message of most syntax errors; what follows is the place. */
    private static final String ADVICE = "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON";

    private JsonSyntax() {}

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
