package dev.fovea.cli;

import dev.fovea.model.EncoderOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.LengthPolicy;
import dev.fovea.server.FoveaServer;
import dev.fovea.server.ServerLimits;
import dev.fovea.server.ServerOptions;
import dev.fovea.server.models.ModelChoice;
import io.netty.util.internal.logging.InternalLoggerFactory;
import io.netty.util.internal.logging.JdkLoggerFactory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** {@code fovea serve}: answers over HTTP until it is told to end. */
@Command(
        name = "serve",
        description = "Serve models over HTTP, by the routes of OpenAI and of Text Embeddings Inference.",
        footer = {
            "",
            "A page to try the models is at /. SIGTERM and Ctrl-C end the server: it answers what it has begun, for --grace seconds"
                    + " at most, and refuses what is new."
        })
final class ServeCommand implements Callable<Integer> {
    /** Keys are not options: every user of a machine sees those of its processes. */
    private static final String KEYS = "FOVEA_API_KEY";

    private static final String ENCODER = "all-minilm-l6-v2";

    private final Streams streams;

    @Mixin
    private ServeArguments arguments;

    @Option(names = "--model", paramLabel = "[NAME=]M",
            description = "A name from 'fovea models', a directory in the Hugging Face layout or a .gguf file, perhaps with"
                    + " the name for clients before it; several times (default: " + ENCODER + " and "
                    + DemonstrationModel.NAME + ").")
    private List<String> models = List.of(ENCODER, DemonstrationModel.NAME);

    @Option(names = "--host", paramLabel = "H", defaultValue = "127.0.0.1",
            description = "Listen on this address; 0.0.0.0 for all (default: ${DEFAULT-VALUE}, this machine alone).")
    private String host;

    @Option(names = "--port", paramLabel = "P", defaultValue = "" + ServerOptions.DEFAULT_PORT,
            description = "Listen on this port; 0 for a free one (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(names = "--api-key-file", paramLabel = "FILE", description = "Ask clients for one of the keys in FILE, one per"
            + " line. The variable " + KEYS + " has one as well.")
    private Path keyFile;

    @Option(names = "--on-long", paramLabel = "truncate|error", defaultValue = "error",
            converter = LowerCaseEnum.OfHeadPolicy.class, description = "What to do with a text that has more tokens than the"
                    + " model allows, where a request does not say (default: ${DEFAULT-VALUE}).")
    private LengthPolicy onLong;

    @Option(names = "--grace", paramLabel = "SECONDS", defaultValue = "20",
            description = "Time for what has begun when the server ends (default: ${DEFAULT-VALUE}).")
    private int grace;

    ServeCommand(Streams streams) {
        this.streams = streams;
    }

    @Override
    public Integer call() throws IOException {
        InternalLoggerFactory.setDefaultFactory(JdkLoggerFactory.INSTANCE);
        ServerOptions options = options();
        EncoderOptions encoders = arguments.encoders();
        GeneratorOptions generators = checked(arguments::generators);
        FoveaServer server;
        try (var _ = new DelayedNotice(streams.err(), "Loading " + String.join(", ", models) + " …")) {
            server = FoveaServer.start(choices(), options, encoders, generators);
        }
        if (models.contains(DemonstrationModel.NAME)) {
            streams.err().println("fovea: " + DemonstrationModel.NAME + " was trained for a few minutes, and knows next to nothing");
        }
        var ended = new CountDownLatch(1);
        Thread hook = Thread.ofPlatform().name("fovea-end").unstarted(() -> end(server, ended));
        Runtime.getRuntime().addShutdownHook(hook);
        if (!server.isLoopback() && options.apiKeys().isEmpty()) {
            streams.err().println("fovea: everyone who reaches this machine may use the server; ask for a key: --api-key-file or "
                    + KEYS);
        }
        streams.print("fovea: serving " + String.join(", ", server.models()) + " on http://" + shown() + ':' + server.port()
                + "/\n");
        try {
            ended.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return ExitCode.OK;
    }

    private void end(FoveaServer server, CountDownLatch ended) {
        boolean finished = server.close(Duration.ofSeconds(grace));
        streams.err().println(finished ? "fovea: ended" : "fovea: ended; what was not done after " + grace + " s was cancelled");
        ended.countDown();
    }

    private List<ModelChoice> choices() throws IOException {
        List<ModelChoice> choices = new ArrayList<>();
        for (String model : models) {
            choices.add(model.equals(DemonstrationModel.NAME) ? ModelChoice.of(model, DemonstrationModel.file())
                    : ModelChoice.parse(model));
        }
        return choices;
    }

    private String shown() {
        return host.contains(":") ? '[' + host + ']' : host;
    }

    private ServerOptions options() throws IOException {
        List<String> keys = keys();
        return checked(() -> {
            if (grace < 0) {
                throw new IllegalArgumentException("--grace must be at least 0, got " + grace);
            }
            return new ServerOptions(host, port, keys, onLong == LengthPolicy.TRUNCATE, arguments.limits());
        });
    }

    private List<String> keys() throws IOException {
        List<String> keys = new ArrayList<>();
        String ofVariable = System.getenv(KEYS);
        if (ofVariable != null && !ofVariable.isBlank()) {
            keys.add(ofVariable.strip());
        }
        if (keyFile != null) {
            List<String> ofFile = Files.readString(keyFile, StandardCharsets.UTF_8).lines().map(String::strip)
                    .filter(line -> !line.isEmpty()).toList();
            if (ofFile.isEmpty()) {
                throw new IOException("no key is in " + keyFile);
            }
            keys.addAll(ofFile);
        }
        return keys;
    }

    private <T> T checked(Supplier<T> made) {
        try {
            return made.get();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(arguments.command().commandLine(), e.getMessage(), e);
        }
    }

    /** The options of what the models run on, and of what clients may take. */
    static final class ServeArguments extends EngineArguments {
        private static final ServerLimits DEFAULTS = ServerLimits.defaults();

        @Option(names = "--context", paramLabel = "N", defaultValue = "0", description = "Tokens of the longest sequence of"
                + " a language model (default: the model's own, at most " + GeneratorOptions.DEFAULT_CONTEXT + ").")
        private int context;

        @Option(names = "--cache-tokens", paramLabel = "N", defaultValue = "0", description = "Tokens that a language model has"
                + " memory for, of all its answers together (default: twice the context).")
        private int cacheTokens;

        @ArgGroup(exclusive = true)
        private SpeculationArguments speculation = new SpeculationArguments();

        @Option(names = "--parallel", paramLabel = "N", description = "Answers that a language model writes at a time"
                + " (default: 8).")
        private Integer parallel;

        @Option(names = "--max-connections", paramLabel = "N", description = "Connections at a time (default: 4096).")
        private Integer maxConnections;

        @Option(names = "--max-requests", paramLabel = "N", description = "Requests at a time; more get status 429"
                + " (default: 512).")
        private Integer maxRequests;

        @Option(names = "--max-client-batch", paramLabel = "N", description = "Texts of a request (default: 32).")
        private Integer maxClientBatch;

        @Option(names = "--max-batch-tokens", paramLabel = "N", description = "Tokens that a model reads at once, gathered from"
                + " all requests (default: 128, or 2048 on a GPU).")
        private Integer maxBatchTokens;

        @Option(names = "--max-queued-tokens", paramLabel = "N", description = "Tokens that wait for a model; requests without"
                + " room get status 429 (default: 262144).")
        private Long maxQueuedTokens;

        @Option(names = "--max-body-bytes", paramLabel = "N", description = "Bytes of a request's body (default: 2000000).")
        private Integer maxBodyBytes;

        @Option(names = "--deadline", paramLabel = "SECONDS", description = "Time for an answer (default: 300).")
        private Integer deadline;

        EncoderOptions encoders() {
            EncoderOptions options = EncoderOptions.defaults().withEngineOptions(engine());
            return weights() == null ? options : options.withWeights(weights());
        }

        GeneratorOptions generators() {
            GeneratorOptions options = GeneratorOptions.defaults().withEngineOptions(engine()).withContext(context)
                    .withCacheTokens(cacheTokens).withSpeculation(speculation.speculation());
            return weights() == null ? options : options.withWeights(weights());
        }

        ServerLimits limits() {
            return DEFAULTS
                    .withConnections(maxConnections == null ? DEFAULTS.maxConnections() : maxConnections)
                    .withRequests(maxRequests == null ? DEFAULTS.maxRequests() : maxRequests)
                    .withClientBatch(maxClientBatch == null ? DEFAULTS.maxClientBatch() : maxClientBatch)
                    .withTokens(maxBatchTokens == null ? DEFAULTS.maxBatchTokens() : maxBatchTokens,
                            maxQueuedTokens == null ? DEFAULTS.maxQueuedTokens() : maxQueuedTokens)
                    .withBodyBytes(maxBodyBytes == null ? DEFAULTS.maxBodyBytes() : maxBodyBytes)
                    .withParallel(parallel == null ? DEFAULTS.parallel() : parallel)
                    .withDeadline(deadline == null ? DEFAULTS.deadline() : Duration.ofSeconds(deadline));
        }
    }
}
