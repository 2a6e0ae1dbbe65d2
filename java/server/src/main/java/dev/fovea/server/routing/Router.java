package dev.fovea.server.routing;

import dev.fovea.server.http.Cancellation;
import dev.fovea.server.http.CancelledException;
import dev.fovea.server.http.Exchange;
import dev.fovea.server.http.HttpHandler;
import dev.fovea.server.json.ApiException;
import dev.fovea.server.json.ApiException.Kind;
import dev.fovea.server.json.ErrorShape;
import dev.fovea.server.models.ModelSet;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import java.util.function.BiFunction;

/** Finds the route of a request, lets in who may come in, and turns what goes wrong into an answer. */
public final class Router implements HttpHandler {
    private static final System.Logger LOG = System.getLogger("dev.fovea.server");

    /** What a route asks of a request before it answers. */
    public enum Access {
        /** Nothing: it says nothing, and costs nothing. */
        OPEN,
        /** A key. */
        KEY,
        /** A key, and a place among the requests that are answered at a time. */
        WORK
    }

    private record Entry(Access access, Route route) {}

    private final Map<String, Map<String, Entry>> routes = new LinkedHashMap<>();
    private final ModelSet models;
    private final int maxRequests;
    private final Duration deadline;
    private final ServerMetrics metrics;
    private final ApiKeys keys;
    private final Semaphore places;
    /** Set before the first request. */
    private volatile OwnPages pages;
    private volatile BiFunction<Duration, Runnable, Runnable> timer;

    /**
     * Has no routes yet.
     *
     * @param keys one of which requests must have; empty for none
     * @param maxRequests answered at a time
     * @param deadline for an answer
     */
    public Router(ModelSet models, ServerMetrics metrics, List<String> keys, int maxRequests, Duration deadline) {
        this.models = models;
        this.metrics = metrics;
        this.keys = new ApiKeys(keys);
        this.maxRequests = maxRequests;
        this.deadline = deadline;
        this.places = new Semaphore(maxRequests);
    }

    /** Adds a route; a path that ends with {@code /*} is that of all paths below it. */
    public void add(String method, String path, Access access, Route route) {
        routes.computeIfAbsent(path, _ -> new LinkedHashMap<>()).put(method, new Entry(access, route));
    }

    /**
     * Tells what is known once the server listens, before its first request.
     *
     * @param loopback whether only programs of this machine can connect
     * @param timer runs an action after a time, and gives what takes that back
     */
    public void listen(boolean loopback, BiFunction<Duration, Runnable, Runnable> timer) {
        this.pages = new OwnPages(loopback);
        this.timer = timer;
    }

    @Override
    public void handle(Exchange exchange) {
        long start = System.nanoTime();
        String path = known(exchange.path());
        int status = 200;
        try {
            answer(exchange, path);
        } catch (ApiException e) {
            status = e.status(ErrorShape.of(exchange.path()));
            respond(exchange, e);
        } catch (CancelledException e) {
            if (e.reason() == Cancellation.Reason.GONE) {
                metrics.gone(path);
                return;
            }
            status = 503;
            respond(exchange, unavailable(e.reason()));
        } catch (Throwable e) {
            ApiException answer = translate(e);
            status = answer.status(ErrorShape.of(exchange.path()));
            respond(exchange, answer);
        }
        metrics.answered(path, status, System.nanoTime() - start);
    }

    /** The path of a route, or {@code other}: clients must not make up names of metrics. */
    private String known(String path) {
        if (routes.containsKey(path)) {
            return path;
        }
        String below = path.substring(0, path.lastIndexOf('/') + 1) + '*';
        return routes.containsKey(below) ? below : "other";
    }

    private void answer(Exchange exchange, String path) {
        pages.check(exchange);
        Map<String, Entry> methods = routes.get(path);
        if (methods == null) {
            requireKey(exchange);
            throw new ApiException(Kind.NO_ROUTE, "there is no such route; docs/server.md lists those that there are");
        }
        Entry entry = methods.get(exchange.method().equals("HEAD") ? "GET" : exchange.method());
        if (entry == null) {
            throw new ApiException(Kind.METHOD, "expected the method " + String.join(" or ", methods.keySet()));
        }
        if (entry.access() != Access.OPEN) {
            requireKey(exchange);
        }
        if (entry.access() == Access.WORK) {
            work(exchange, entry.route());
        } else {
            entry.route().answer(exchange);
        }
    }

    private void requireKey(Exchange exchange) {
        if (!keys.admit(exchange.header("Authorization"))) {
            throw new ApiException(Kind.UNAUTHORIZED, "expected a key of this server as Authorization: Bearer KEY");
        }
    }

    private void work(Exchange exchange, Route route) {
        if (!places.tryAcquire()) {
            throw new ApiException(Kind.OVERLOADED, "the server answers " + maxRequests
                    + " requests at a time, and as many are there");
        }
        Runnable disarm = timer.apply(deadline, () -> exchange.cancellation().cancel(Cancellation.Reason.DEADLINE));
        try {
            route.answer(exchange);
        } finally {
            disarm.run();
            places.release();
        }
    }

    private ApiException unavailable(Cancellation.Reason reason) {
        return new ApiException(Kind.UNAVAILABLE, reason == Cancellation.Reason.SHUTDOWN ? "the server ends"
                : "there was no answer within " + deadline.toMillis() + " ms");
    }

    /** What went wrong behind the routes, in words for clients. */
    public ApiException translate(Throwable failure) {
        return switch (failure) {
            case ApiException e -> e;
            case CancelledException e -> unavailable(e.reason());
            case RejectedExecutionException e -> new ApiException(Kind.OVERLOADED, models.withoutPlaces(e.getMessage()));
            case IllegalStateException e when String.valueOf(e.getMessage()).endsWith("is closed") ->
                    unavailable(Cancellation.Reason.SHUTDOWN);
            case IllegalArgumentException e -> new ApiException(Kind.INVALID, models.withoutPlaces(e.getMessage()));
            case UnsupportedOperationException e -> new ApiException(Kind.UNSUPPORTED, models.withoutPlaces(e.getMessage()));
            case ArithmeticException e -> new ApiException(Kind.BACKEND, models.withoutPlaces(e.getMessage()));
            default -> {
                LOG.log(System.Logger.Level.ERROR, "a request failed", failure);
                yield new ApiException(Kind.DEFECT, "the server failed; its log says how");
            }
        };
    }

    private void respond(Exchange exchange, ApiException e) {
        ErrorShape shape = ErrorShape.of(exchange.path());
        Map<String, String> more = switch (e.kind()) {
            case OVERLOADED, UNAVAILABLE -> Map.of("Retry-After", "1");
            case UNAUTHORIZED -> Map.of("WWW-Authenticate", "Bearer");
            case METHOD -> Map.of("Allow", String.join(", ", routes.get(known(exchange.path())).keySet()).replace("GET", "GET, HEAD"));
            default -> Map.of();
        };
        exchange.respond(e.status(shape), Route.JSON, e.json(shape).getBytes(StandardCharsets.UTF_8), more);
    }

    @Override
    public byte[] refusal(String path, int status, String message) {
        metrics.answered(known(path), status, 0);
        return ErrorShape.of(path).json(status, message).getBytes(StandardCharsets.UTF_8);
    }
}
