package dev.fovea.server.http;

/** What answers requests. */
public interface HttpHandler {
    /** Answers a request, on a virtual thread of its own. */
    void handle(Exchange exchange);

    /**
     * The JSON that says why a request was refused before it got to {@link #handle}.
     *
     * @param path as the client gave it; may be anything
     */
    byte[] refusal(String path, int status, String message);
}
