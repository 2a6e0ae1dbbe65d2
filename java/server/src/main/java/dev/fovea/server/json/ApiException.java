package dev.fovea.server.json;

/** A request that is not answered. Its message is meant for the client: it names values, and nothing of the machine. */
public final class ApiException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /** Why, and which status that is: of the routes of Text Embeddings Inference, and of OpenAI. */
    public enum Kind {
        /** It is not JSON. */
        SYNTAX(400, "Validation", 400, "invalid_request_error", null),
        /** A field is missing, or has another type or value. */
        INVALID(422, "Validation", 400, "invalid_request_error", null),
        /** A field asks for what the server does not do. */
        UNSUPPORTED(422, "Validation", 400, "invalid_request_error", "unsupported_parameter"),
        /** There is no text. */
        EMPTY(400, "Empty", 400, "invalid_request_error", null),
        /** There are too many texts. */
        TOO_MANY(413, "Validation", 413, "invalid_request_error", "batch_too_large"),
        /** A text has too many tokens. */
        TOO_LONG(413, "Validation", 400, "invalid_request_error", "context_length_exceeded"),
        /** The body has too many bytes. */
        TOO_LARGE(413, "Validation", 413, "invalid_request_error", "body_too_large"),
        /** A text has no tokens that the model reads. */
        TOKENS(422, "Tokenizer", 400, "invalid_request_error", null),
        /** The model failed. */
        BACKEND(424, "Backend", 500, "server_error", null),
        /** Too much waits. */
        OVERLOADED(429, "Overloaded", 429, "rate_limit_error", "overloaded"),
        /** The work took too long, or the server ends. */
        UNAVAILABLE(503, "Unhealthy", 503, "server_error", "unavailable"),
        /** The key is missing or wrong. */
        UNAUTHORIZED(401, "Validation", 401, "invalid_request_error", "invalid_api_key"),
        /** A page of another site asks. */
        FORBIDDEN(403, "Validation", 403, "invalid_request_error", "forbidden"),
        /** There is no such route. */
        NO_ROUTE(404, "Validation", 404, "invalid_request_error", "not_found"),
        /** There is no such model, or none that does this. */
        NO_MODEL(424, "Backend", 404, "invalid_request_error", "model_not_found"),
        /** The route does not know the method. */
        METHOD(405, "Validation", 405, "invalid_request_error", "method_not_allowed"),
        /** A defect. */
        DEFECT(500, "Backend", 500, "server_error", null);

        private final int teiStatus;
        private final String teiType;
        private final int openAiStatus;
        private final String openAiType;
        private final String openAiCode;

        Kind(int teiStatus, String teiType, int openAiStatus, String openAiType, String openAiCode) {
            this.teiStatus = teiStatus;
            this.teiType = teiType;
            this.openAiStatus = openAiStatus;
            this.openAiType = openAiType;
            this.openAiCode = openAiCode;
        }
    }

    private final Kind kind;
    private final String param;

    /** An error of the request as a whole. */
    public ApiException(Kind kind, String message) {
        this(kind, message, null);
    }

    /** An error of the field {@code param}; its trace is of no use. */
    public ApiException(Kind kind, String message, String param) {
        super(message, null, false, false);
        this.kind = kind;
        this.param = param;
    }

    /** Why. */
    public Kind kind() {
        return kind;
    }

    /** The status that says so. */
    public int status(ErrorShape shape) {
        return shape == ErrorShape.OPENAI ? kind.openAiStatus : kind.teiStatus;
    }

    /** The answer that says so. */
    public String json(ErrorShape shape) {
        return shape == ErrorShape.OPENAI ? openAi(getMessage(), kind.openAiType, param, kind.openAiCode)
                : tei(getMessage(), kind.teiType);
    }

    /** An error as OpenAI gives it. */
    static String openAi(String message, String type, String param, String code) {
        return new JsonText().object(error -> error.object("error", inner -> inner.put("message", message).put("type", type)
                .put("param", param).put("code", code))).toString();
    }

    /** An error as Text Embeddings Inference gives it. */
    static String tei(String message, String type) {
        return new JsonText().object(error -> error.put("error", message).put("error_type", type)).toString();
    }
}
