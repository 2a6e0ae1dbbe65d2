package dev.fovea.server.json;

/** How clients of a route expect errors. */
public enum ErrorShape {
    /** Routes below {@code /v1/}. */
    OPENAI,
    /** All others. */
    TEI;

    /** That of a path. */
    public static ErrorShape of(String path) {
        return path.startsWith("/v1/") ? OPENAI : TEI;
    }

    /** An error that HTTP itself has, by its status. */
    public String json(int status, String message) {
        if (this == OPENAI) {
            return ApiException.openAi(message, status < 500 ? "invalid_request_error" : "server_error", null, null);
        }
        return ApiException.tei(message, status == 429 ? "Overloaded" : status < 500 ? "Validation" : "Unhealthy");
    }
}
