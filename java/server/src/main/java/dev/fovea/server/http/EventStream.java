package dev.fovea.server.http;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** An answer in pieces: server-sent events. Sending never waits; a client that does not read is given up. */
public final class EventStream implements AutoCloseable {
    private final Connection connection;
    private final Exchange exchange;
    private final AtomicLong unsent = new AtomicLong();
    private boolean closed;

    EventStream(Connection connection, Exchange exchange) {
        this.connection = connection;
        this.exchange = exchange;
    }

    /** Sends an event of one line; whether the client still wants more. */
    public boolean send(String line) {
        if (exchange.cancellation().isCancelled()) {
            return false;
        }
        byte[] bytes = ("data: " + line + "\n\n").getBytes(StandardCharsets.UTF_8);
        if (unsent.addAndGet(bytes.length) > HttpSettings.MAX_UNSENT) {
            connection.giveUp(exchange);
            return false;
        }
        connection.sendEvent(exchange, bytes, unsent);
        return true;
    }

    /** Sends the last event of an answer that failed, though its work is not wanted any more. */
    public void fail(String line) {
        connection.sendEvent(exchange, ("data: " + line + "\n\n").getBytes(StandardCharsets.UTF_8), unsent);
    }

    /** Ends the answer. */
    @Override
    public void close() {
        if (!closed) {
            closed = true;
            connection.endEvents(exchange);
        }
    }
}
