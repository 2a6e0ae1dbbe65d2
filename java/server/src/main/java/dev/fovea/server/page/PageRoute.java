package dev.fovea.server.page;

import dev.fovea.server.routing.Route;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * The page at {@code /}, its style and its script. It asks nobody but this server for anything, and its security policy
 * holds it to that.
 */
public final class PageRoute {
    private static final Map<String, String> HEADERS = Map.of("Content-Security-Policy", "default-src 'none'; style-src 'self';"
            + " script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "Referrer-Policy", "no-referrer");

    private PageRoute() {}

    /** The page. */
    public static Route html() {
        return of("page.html", "text/html; charset=utf-8");
    }

    /** Its style. */
    public static Route css() {
        return of("page.css", "text/css; charset=utf-8");
    }

    /** Its script. */
    public static Route script() {
        return of("page.js", "text/javascript; charset=utf-8");
    }

    private static Route of(String name, String type) {
        byte[] content;
        try (InputStream in = PageRoute.class.getResourceAsStream(name)) {
            content = in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return exchange -> exchange.respond(200, type, content, HEADERS);
    }
}
