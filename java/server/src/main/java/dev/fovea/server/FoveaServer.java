package dev.fovea.server;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.model.QueueOptions;
import dev.fovea.server.http.HttpFront;
import dev.fovea.server.http.HttpSettings;
import dev.fovea.server.models.ModelChoice;
import dev.fovea.server.models.ModelSet;
import dev.fovea.server.models.ServedModel;
import dev.fovea.server.models.TextRules;
import dev.fovea.server.openai.ChatRoute;
import dev.fovea.server.openai.CompletionsRoute;
import dev.fovea.server.openai.EmbeddingsRoute;
import dev.fovea.server.openai.ModelsRoute;
import dev.fovea.server.page.AttentionRoute;
import dev.fovea.server.page.PageRoute;
import dev.fovea.server.routing.Route;
import dev.fovea.server.routing.Router;
import dev.fovea.server.routing.Router.Access;
import dev.fovea.server.routing.ServerMetrics;
import dev.fovea.server.tei.EmbedRoute;
import dev.fovea.server.tei.EmbedSparseRoute;
import dev.fovea.server.tei.InfoRoute;
import dev.fovea.server.tei.PredictRoute;
import dev.fovea.server.tei.RerankRoute;
import dev.fovea.server.tei.TokenizeRoute;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * Serves models over HTTP, by the routes of OpenAI and of Text Embeddings Inference.
 *
 * <pre>{@code
 * try (var server = FoveaServer.start(List.of("all-minilm-l6-v2"), ServerOptions.defaults())) {
 *     System.out.println("http://127.0.0.1:" + server.port());
 *     …
 * }
 * }</pre>
 *
 * <p>The texts of all requests run together, in batches; each gets the same bits as alone. A client that closes its
 * connection ends the work for it. Safe to share between threads; its own threads are daemons.
 */
public final class FoveaServer implements AutoCloseable {
    private static final Duration LAST = Duration.ofSeconds(2);
    /** In the format of Prometheus. */
    private static final String METRICS = "text/plain; version=0.0.4; charset=utf-8";

    private final ModelSet models;
    private final ServerMetrics metrics = new ServerMetrics();
    private final HttpFront front;
    private boolean closed;

    private FoveaServer(List<ModelChoice> choices, ServerOptions options, EncoderOptions encoders, GeneratorOptions generators)
            throws IOException {
        ServerLimits limits = options.limits();
        QueueOptions queue = QueueOptions.defaults().withBatchTokens(limits.maxBatchTokens())
                .withQueuedTokens(limits.maxQueuedTokens());
        this.models = ModelSet.load(choices, new ModelSet.Loading(encoders.withLengthPolicy(LengthPolicy.TRUNCATE),
                generators.withConcurrency(limits.parallel()).withQueue(limits.maxRequests()),
                name -> queue.withListener(metrics.listener(name))));
        try {
            var router = new Router(models, metrics, options.apiKeys(), limits.maxRequests(), limits.deadline());
            addRoutes(router, new TextRules(limits.maxClientBatch(), options.truncates()), limits);
            this.front = HttpFront.open(new HttpSettings(options.host(), options.port(), limits.maxConnections(),
                    limits.maxHeaderBytes(), limits.maxBodyBytes(), (long) ServerLimits.BODIES * limits.maxBodyBytes(),
                    limits.arrival(), limits.idle(), limits.write()), router);
            router.listen(front.isLoopback(), front::after);
            metrics.watch(models, front);
        } catch (Throwable e) {
            models.close();
            throw e;
        }
    }

    /**
     * Serves models with their own defaults; see {@link #start(List, ServerOptions, EncoderOptions, GeneratorOptions)}.
     *
     * @param models each as {@link ModelChoice#parse} takes it
     */
    public static FoveaServer start(List<String> models, ServerOptions options) throws IOException {
        return start(models.stream().map(ModelChoice::parse).toList(), options, EncoderOptions.defaults(),
                GeneratorOptions.defaults());
    }

    /**
     * Loads models, and begins to listen.
     *
     * @param encoders how models are loaded that read texts; its policy for long texts is not used
     * @param generators how language models are loaded; how many answers they write at once is of the limits
     * @throws IOException if a model cannot be loaded, or the port is in use
     * @throws IllegalArgumentException if there is no model, or two have the same name
     */
    public static FoveaServer start(List<ModelChoice> models, ServerOptions options, EncoderOptions encoders,
            GeneratorOptions generators) throws IOException {
        return new FoveaServer(models, options, encoders, generators);
    }

    private void addRoutes(Router router, TextRules rules, ServerLimits limits) {
        router.add("POST", "/v1/embeddings", Access.WORK, new EmbeddingsRoute(models, rules, metrics));
        router.add("POST", "/v1/chat/completions", Access.WORK, new ChatRoute(models, metrics, router::translate));
        router.add("POST", "/v1/completions", Access.WORK, new CompletionsRoute(models, metrics, router::translate));
        var list = new ModelsRoute(models);
        router.add("GET", "/v1/models", Access.KEY, list);
        router.add("GET", ModelsRoute.BELOW + '*', Access.KEY, list::one);
        router.add("POST", "/embed", Access.WORK, new EmbedRoute(models, rules, metrics));
        router.add("POST", "/embed_sparse", Access.WORK, new EmbedSparseRoute(models, rules, metrics));
        router.add("POST", "/rerank", Access.WORK, new RerankRoute(models, rules, metrics));
        router.add("POST", "/predict", Access.WORK, new PredictRoute(models, rules, metrics));
        router.add("POST", "/tokenize", Access.WORK, new TokenizeRoute(models, rules));
        router.add("GET", "/info", Access.KEY,
                new InfoRoute(models, rules, limits.maxRequests(), version()));
        router.add("GET", "/health", Access.OPEN, exchange -> exchange.respond(200, Route.JSON, new byte[0], Map.of()));
        router.add("GET", "/metrics", Access.KEY, exchange -> exchange.respond(200, METRICS,
                metrics.scrape().getBytes(StandardCharsets.UTF_8), Map.of()));
        router.add("POST", "/fovea/attention", Access.WORK, new AttentionRoute(models));
        router.add("GET", "/", Access.OPEN, PageRoute.html());
        router.add("GET", "/page.css", Access.OPEN, PageRoute.css());
        router.add("GET", "/page.js", Access.OPEN, PageRoute.script());
    }

    /** The port that it listens on. */
    public int port() {
        return front.port();
    }

    /** Names of the models, in the order in which they were given. */
    public List<String> models() {
        return models.all().stream().map(ServedModel::name).toList();
    }

    /** Whether it listens on this machine's own address alone. */
    public boolean isLoopback() {
        return front.isLoopback();
    }

    /** What {@code /metrics} shows; for meters of the application's own, too. */
    public MeterRegistry metrics() {
        return metrics.registry();
    }

    /** Open connections, requests in progress, and bytes of bodies that are held; all 0 when nothing happens. */
    public long[] load() {
        return new long[] {front.connections(), front.handling(), front.bodyBytes()};
    }

    /**
     * Ends the server: it refuses what is new, and waits for what is in progress. What is not done by then is cancelled.
     *
     * @param grace how long it waits; then at most 5 s more
     * @return whether all has finished by itself
     */
    public synchronized boolean close(Duration grace) {
        if (closed) {
            return true;
        }
        closed = true;
        try {
            return front.close(grace, LAST);
        } finally {
            models.close();
        }
    }

    /** Ends the server at once; see {@link #close(Duration)}. */
    @Override
    public void close() {
        close(Duration.ZERO);
    }

    /** Such as {@code 0.1.0}. */
    public static String version() {
        try (InputStream in = FoveaServer.class.getResourceAsStream("version.txt")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
