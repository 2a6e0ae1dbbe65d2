package dev.fovea.server.http;

import java.time.Duration;

/**
 * Where connections come in, and what they may take.
 *
 * @param host name or address to listen on
 * @param port to listen on; 0 for a free one
 * @param maxConnections open at a time; more are closed at once
 * @param maxHeaderBytes of the names and values of a request's headers together
 * @param maxBodyBytes of a request's body
 * @param maxBodyBytesOfAll of the bodies of all requests that are there at a time
 * @param arrival for a request to arrive, from its first line to the end of its body, and for the first one to begin
 * @param idle for the next request on a connection
 * @param write for a client that does not read to take what waits for it
 */
public record HttpSettings(String host, int port, int maxConnections, int maxHeaderBytes, int maxBodyBytes,
        long maxBodyBytesOfAll, Duration arrival, Duration idle, Duration write) {
    /** The longest first line of a request, in bytes. */
    static final int MAX_LINE = 8192;

    /** Bytes that wait for a client to read before it counts as gone. */
    static final int MAX_UNSENT = 8 << 20;
}
