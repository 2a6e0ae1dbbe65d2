package dev.fovea.server.routing;

import dev.fovea.server.http.Exchange;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Set;

/**
 * Keeps pages of other sites out, which a browser on this machine may show: they may not ask for anything here, and not under
 * another name that leads to this machine either.
 */
final class OwnPages {
    private static final Set<String> LOOPBACK = Set.of("localhost", "127.0.0.1", "[::1]");

    private final boolean loopback;

    /** {@code loopback} says that only programs of this machine can connect. */
    OwnPages(boolean loopback) {
        this.loopback = loopback;
    }

    /** Throws if a request comes from a page of another site. */
    void check(Exchange exchange) {
        String host = exchange.header("Host");
        if (loopback && host != null && !LOOPBACK.contains(withoutPort(host).toLowerCase(Locale.ROOT))) {
            throw new ApiException(Kind.FORBIDDEN, "this server is for programs of its own machine, by the names localhost,"
                    + " 127.0.0.1 and [::1]");
        }
        String origin = exchange.header("Origin");
        if (origin != null && !isOf(origin, host)) {
            throw new ApiException(Kind.FORBIDDEN, "pages of other sites may not use this server");
        }
    }

    private static boolean isOf(String origin, String host) {
        try {
            return host != null && host.equalsIgnoreCase(new URI(origin).getAuthority());
        } catch (URISyntaxException _) {
            return false;
        }
    }

    private static String withoutPort(String host) {
        int colon = host.lastIndexOf(':');
        return colon > host.lastIndexOf(']') ? host.substring(0, colon) : host;
    }
}
