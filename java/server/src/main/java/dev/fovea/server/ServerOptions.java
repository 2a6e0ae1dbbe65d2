package dev.fovea.server;

import java.util.List;
import java.util.Objects;

/**
 * Where a server listens, for whom, and what clients may take. Immutable; each {@code with…} gives a copy.
 *
 * @param host to listen on, a name or an address
 * @param port to listen on; 0 for a free one
 * @param apiKeys one of which each request must have as {@code Authorization: Bearer KEY}; empty for none
 * @param truncates whether texts of too many tokens are cut where a request does not say so; else they are refused
 * @param limits what clients may take
 */
public record ServerOptions(String host, int port, List<String> apiKeys, boolean truncates, ServerLimits limits) {
    /** The port without another choice. */
    public static final int DEFAULT_PORT = 8080;

    private static final int MIN_KEY = 8;

    /** Checks the values. */
    public ServerOptions {
        Objects.requireNonNull(host, "host");
        Objects.requireNonNull(limits, "limits");
        apiKeys = List.copyOf(apiKeys);
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port must be from 0 to 65535, got " + port);
        }
        for (String key : apiKeys) {
            if (key.length() < MIN_KEY || !key.chars().allMatch(c -> c > ' ' && c < 127)) {
                throw new IllegalArgumentException("an API key must have at least " + MIN_KEY
                        + " characters of ASCII without spaces, got one of " + key.length());
            }
        }
    }

    /** This machine alone, on port {@value #DEFAULT_PORT}, without a key; long texts are refused. */
    public static ServerOptions defaults() {
        return new ServerOptions("127.0.0.1", DEFAULT_PORT, List.of(), false, ServerLimits.defaults());
    }

    /** A copy that listens elsewhere. */
    public ServerOptions withAddress(String host, int port) {
        return new ServerOptions(host, port, apiKeys, truncates, limits);
    }

    /** A copy with keys. */
    public ServerOptions withApiKeys(List<String> keys) {
        return new ServerOptions(host, port, keys, truncates, limits);
    }

    /** A copy that cuts long texts, or not. */
    public ServerOptions withTruncates(boolean truncates) {
        return new ServerOptions(host, port, apiKeys, truncates, limits);
    }

    /** A copy with other limits. */
    public ServerOptions withLimits(ServerLimits limits) {
        return new ServerOptions(host, port, apiKeys, truncates, limits);
    }

    /** Hides the keys. */
    @Override
    public String toString() {
        return "ServerOptions[" + host + ':' + port + ", " + apiKeys.size() + " keys, " + limits + ']';
    }
}
