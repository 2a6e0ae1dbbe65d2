package dev.fovea.server.http;

import io.netty.handler.codec.http.HttpHeaders;
import io.netty.handler.codec.http.HttpMethod;
import io.netty.handler.codec.http.HttpRequest;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

/** A request that has arrived as a whole, and its answer, of which there is one. Safe to share between threads. */
public final class Exchange {
    private final Connection connection;
    private final HttpMethod method;
    private final String path;
    private final HttpHeaders headers;
    private final byte[] body;
    private final Cancellation cancellation = new Cancellation();
    private final AtomicBoolean answered = new AtomicBoolean();

    Exchange(Connection connection, HttpRequest request, byte[] body) {
        this.connection = connection;
        this.method = request.method();
        this.path = path(request.uri());
        this.headers = request.headers();
        this.body = body;
    }

    /** The address of a request without host and query. */
    static String path(String uri) {
        int end = uri.indexOf('?');
        String path = end < 0 ? uri : uri.substring(0, end);
        if (!path.regionMatches(true, 0, "http://", 0, 7)) {
            return path;
        }
        int begin = path.indexOf('/', 7); // as to a proxy
        return begin < 0 ? "/" : path.substring(begin);
    }

    /** Such as {@code GET}. */
    public String method() {
        return method.name();
    }

    /** As the client gave it, without query. */
    public String path() {
        return path;
    }

    /** A header's value, or null. */
    public String header(String name) {
        return headers.get(name);
    }

    /** What the client sent. The array is not copied. */
    public byte[] body() {
        return body;
    }

    /** Whether the answer is still wanted. */
    public Cancellation cancellation() {
        return cancellation;
    }

    /** Whether there is an answer, or the beginning of one. */
    public boolean isAnswered() {
        return answered.get();
    }

    /** Answers with a whole body. Does nothing and gives false if there is an answer. Never waits. */
    public boolean respond(int status, String contentType, byte[] content, Map<String, String> more) {
        if (!answered.compareAndSet(false, true)) {
            return false;
        }
        connection.respond(this, status, contentType, content, more);
        return true;
    }

    /**
     * Begins an answer of server-sent events.
     *
     * @throws CancelledException if there is an answer, which then says that the work was cancelled
     */
    public EventStream openEvents() {
        if (!answered.compareAndSet(false, true)) {
            throw new CancelledException(cancellation.isCancelled() ? cancellation.reason() : Cancellation.Reason.DEADLINE);
        }
        connection.beginEvents(this);
        return new EventStream(connection, this);
    }
}
