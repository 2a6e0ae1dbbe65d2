package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.gson.JsonElement;
import com.google.gson.JsonParser;
import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.server.models.ModelChoice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/** A server with a model of each kind, and a plain client of it. */
final class TestServer implements AutoCloseable {
    static final String EMBEDDER = "all-minilm-l6-v2";
    static final int CONTEXT = 40_000;
    /** More than the server's own deadline: on a machine that is busy, or stops for a while, it is the server that gives up. */
    static final Duration PATIENCE = Duration.ofMinutes(6);
    private static final EncoderOptions ENCODERS =
            EncoderOptions.defaults().withEngineOptions(EngineOptions.defaults().withThreads(2));
    private static final GeneratorOptions GENERATORS = GeneratorOptions.defaults()
            .withEngineOptions(EngineOptions.defaults().withThreads(1)).withContext(CONTEXT);

    private static TestServer shared;

    final FoveaServer server;
    final HttpClient client = HttpClient.newHttpClient();

    private TestServer(FoveaServer server) {
        this.server = server;
    }

    /** One for all tests that change nothing in it. */
    static synchronized TestServer shared() throws IOException {
        if (shared == null) {
            shared = start(options());
        }
        return shared;
    }

    static ServerOptions options() {
        return ServerOptions.defaults().withAddress("127.0.0.1", 0);
    }

    /** All five kinds of models. */
    static TestServer start(ServerOptions options) throws IOException {
        Path folder = models();
        return start(options, List.of(EMBEDDER, folder.resolve("ranker").toString(), folder.resolve("labels").toString(),
                folder.resolve("terms").toString(), folder.resolve("writer").toString()));
    }

    static TestServer start(ServerOptions options, List<String> models) throws IOException {
        return start(options, models, ENCODERS);
    }

    static TestServer start(ServerOptions options, List<String> models, EncoderOptions encoders) throws IOException {
        return start(options, models, encoders, GENERATORS);
    }

    static TestServer start(ServerOptions options, List<String> models, EncoderOptions encoders, GeneratorOptions generators)
            throws IOException {
        return new TestServer(FoveaServer.start(models.stream().map(ModelChoice::parse).toList(), options, encoders, generators));
    }

    private static Path folder;

    /** The folder of the small models. */
    static synchronized Path models() throws IOException {
        if (folder == null) {
            Path made = Files.createDirectories(Path.of("target", "models", Long.toString(ProcessHandle.current().pid())));
            TestModels.ranker(made.resolve("ranker"));
            TestModels.labels(made.resolve("labels"));
            TestModels.terms(made.resolve("terms"));
            TestModels.writer(made.resolve("writer"), CONTEXT);
            folder = made;
        }
        return folder;
    }

    String address() {
        return "http://127.0.0.1:" + server.port();
    }

    HttpRequest.Builder request(String path) {
        return HttpRequest.newBuilder(URI.create(address() + path)).timeout(PATIENCE);
    }

    HttpResponse<String> send(HttpRequest request) {
        try {
            return client.send(request, BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    HttpResponse<String> get(String path) {
        return send(request(path).build());
    }

    HttpResponse<String> post(String path, String json) {
        return send(request(path).header("Content-Type", "application/json").POST(BodyPublishers.ofString(json)).build());
    }

    /** The JSON of an answer that went well. Quotes are written as apostrophes. */
    JsonElement ask(String path, String json) {
        HttpResponse<String> response = post(path, json.replace('\'', '"'));
        assertEquals(200, response.statusCode(), response.body());
        return JsonParser.parseString(response.body());
    }

    /** Checks an answer that says what is wrong. */
    void assertRefused(int status, String message, String path, String json) {
        HttpResponse<String> response = post(path, json.replace('\'', '"'));
        assertEquals(status, response.statusCode(), response.body());
        JsonElement error = JsonParser.parseString(response.body()).getAsJsonObject().get("error");
        assertEquals(message, error.isJsonObject() ? error.getAsJsonObject().get("message").getAsString() : error.getAsString());
    }

    @Override
    public void close() {
        server.close();
        client.close();
    }
}
