package dev.fovea.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code fovea serve}, as a process that is told to end while clients ask, and the lines of the README. */
class ServeCommandTest {
    private static final Pattern CURL = Pattern.compile("curl localhost:8080(\\S+) -d '(.*)'");

    @TempDir
    private Path directory;

    private Process start(String... more) throws IOException {
        List<String> command = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                "-Dfovea.cache=" + System.getProperty("fovea.cache"), Main.class.getName(), "serve", "--port", "0"));
        command.addAll(List.of(more));
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(directory.resolve("err").toFile());
        builder.environment().put("FOVEA_API_KEY", "key-of-the-environment");
        return builder.start();
    }

    private static HttpRequest.Builder request(String address, String path) {
        return HttpRequest.newBuilder(URI.create(address + path)).header("Authorization", "Bearer key-of-the-environment");
    }

    @Test
    void shouldServeAndEndInOrder() throws Exception {
        Process process = start();
        try (BufferedReader out = process.inputReader(); HttpClient client = HttpClient.newHttpClient()) {
            String line = out.readLine();
            assertTrue(line != null && line.startsWith("fovea: serving all-minilm-l6-v2, fovea-demo on http://127.0.0.1:"),
                    line + Files.readString(directory.resolve("err")));
            String address = line.substring(line.indexOf("http"), line.length() - 1);
            assertEquals(401, client.send(HttpRequest.newBuilder(URI.create(address + "/v1/models")).build(),
                    BodyHandlers.ofString()).statusCode());
            Matcher curl = CURL.matcher(Files.readString(Path.of("..", "..", "README.md")));
            int lines = 0;
            while (curl.find()) {
                HttpResponse<String> answer = client.send(request(address, curl.group(1))
                        .POST(BodyPublishers.ofString(curl.group(2))).build(), BodyHandlers.ofString());
                assertEquals(200, answer.statusCode(), curl.group() + ": " + answer.body());
                lines++;
            }
            assertEquals(3, lines);
            HttpResponse<InputStream> begun = client.send(request(address, "/v1/completions").POST(BodyPublishers.ofString(
                    "{\"prompt\": \"In the beginning\", \"max_tokens\": 200, \"logit_bias\": {\"0\": -100}, \"stream\": true}"))
                    .build(), BodyHandlers.ofInputStream()); // comes with its first token
            List<CompletableFuture<HttpResponse<String>>> busy = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                busy.add(client.sendAsync(request(address, i % 2 == 0 ? "/v1/completions" : "/embed").POST(BodyPublishers.ofString(
                        i % 2 == 0 ? "{\"prompt\": \"In the beginning\", \"max_tokens\": 60, \"logit_bias\": {\"0\": -100}}"
                                : "{\"inputs\": \"" + "word ".repeat(200) + "\"}")).build(), BodyHandlers.ofString()));
            }
            Thread.sleep(50);
            process.destroy(); // SIGTERM
            String stream = new String(begun.body().readAllBytes(), StandardCharsets.UTF_8);
            assertTrue(stream.endsWith("data: [DONE]\n\n"), stream);
            assertTrue(process.waitFor(30, TimeUnit.SECONDS), "hangs");
            assertEquals(143, process.exitValue());
            for (CompletableFuture<HttpResponse<String>> one : busy) {
                // Who came too late was refused, or found nobody; all others have their answer.
                int status = one.handle((answer, failure) -> failure == null ? answer.statusCode() : 0).join();
                assertTrue(status == 200 || status == 503 || status == 0, "status " + status);
            }
        } finally {
            process.destroyForcibly();
        }
        String err = Files.readString(directory.resolve("err"));
        assertTrue(err.endsWith("fovea: ended\n"), err);
        assertTrue(!err.contains("WARNING") && !err.contains("SLF4J"), err);
    }

    @Test
    void shouldSayWhatIsWrong() throws Exception {
        assertEquals("port must be from 0 to 65535, got 70000 (see 'fovea serve --help')", CliRun.of("serve", "--port", "70000").error(2));
        assertEquals("max-requests must be from 1 to 1000000, got 0 (see 'fovea serve --help')",
                CliRun.of("serve", "--max-requests", "0").error(2));
        Path keys = Files.writeString(directory.resolve("keys"), "short\n");
        assertEquals("an API key must have at least 8 characters of ASCII without spaces, got one of 5 (see 'fovea serve --help')",
                CliRun.of("serve", "--api-key-file", keys.toString()).error(2));
        assertFailure("no model and no directory is called", "--model", "nothing-of-this-name");
        assertFailure("two models are called all-minilm-l6-v2; give one another name: NAME=all-MiniLM-L6-v2", "--port", "0",
                "--model", "all-minilm-l6-v2", "--model", "all-MiniLM-L6-v2");
    }

    /** On a slow machine, a notice that models are loaded comes before. */
    private static void assertFailure(String message, String... options) {
        List<String> command = new ArrayList<>(List.of("serve"));
        command.addAll(List.of(options));
        CliRun run = CliRun.of(command.toArray(String[]::new));
        assertEquals(1, run.status());
        assertTrue(run.err().contains("fovea: " + message), run.err());
    }
}
