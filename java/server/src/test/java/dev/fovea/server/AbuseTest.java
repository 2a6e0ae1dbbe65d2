package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.UnixOperatingSystemMXBean;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.lang.management.ManagementFactory;
import java.net.ConnectException;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Clients that break rules, stop reading, leave, or come in crowds: each gets its status, and nothing of them stays. */
@Timeout(120)
class AbuseTest {
    private static final int CONNECTIONS = Integer.getInteger("fovea.soak.connections", 500);
    private static final Duration ARRIVAL = Duration.ofMillis(1500);
    private static final String LONG = "{\"prompt\": [1, 2], \"max_tokens\": 30000, \"stream\": %s}";

    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = start(ServerLimits.defaults().withTimes(ARRIVAL, Duration.ofSeconds(60), ARRIVAL));
    }

    private static TestServer start(ServerLimits limits) throws IOException {
        return TestServer.start(TestServer.options().withLimits(limits),
                List.of(TestServer.EMBEDDER, TestServer.models().resolve("writer").toString()));
    }

    @AfterAll
    static void end() {
        server.close();
    }

    /** Nothing of what a test did may be left: no work, no bytes, and no connection but those that the client keeps. */
    @AfterEach
    void shouldForget() throws Exception {
        await(() -> server.server.load()[1] == 0 && server.server.load()[2] == 0, "work or bytes are left");
        assertEquals(200, server.get("/health").statusCode());
        server.ask("/embed", "{'inputs': 'still there'}");
    }

    private static void await(Callable<Boolean> condition, String what) throws Exception {
        long begin = System.nanoTime();
        while (!condition.call()) {
            assertTrue(System.nanoTime() - begin < 50_000_000_000L, what);
            Thread.sleep(2);
        }
    }

    /** A connection is refused, or ended without an answer: what came last, the system took before it stopped to listen. */
    private static boolean refuses(TestServer ending) throws IOException {
        try (var late = new RawClient(ending)) {
            assertTrue(late.isEnded(), "a connection that came late");
            return false;
        } catch (ConnectException e) {
            return true;
        }
    }

    private static void assertStatus(int status, String answer) {
        assertTrue(answer.startsWith("HTTP/1.1 " + status), answer);
    }

    private static String once(String request) throws IOException {
        try (var client = new RawClient(server)) {
            return client.send(request).read(null);
        }
    }

    @Test
    void shouldRefuseWhatIsNotJson() {
        for (String body : List.of("", "{", "{\"inputs\"", "[1", "\u0000", "{\"inputs\": NaN}", "{'inputs': 'a'}", "{\"a\":1,}",
                "{\"inputs\": ".repeat(100_000), "[".repeat(1_000_000), "{\"inputs\":" + "[".repeat(65) + "]".repeat(65) + "}")) {
            assertEquals(400, server.post("/embed", body).statusCode(), body.substring(0, Math.min(20, body.length())));
            assertEquals(400, server.post("/v1/chat/completions", body).statusCode());
        }
        HttpResponse<String> broken = server.send(server.request("/embed").POST(BodyPublishers.ofByteArray(
                new byte[] {'{', '"', (byte) 0xc3, (byte) 0x28, '"', ':', '1', '}'})).build());
        assertEquals(400, broken.statusCode());
        assertEquals(400, server.post("/embed", "{\"inputs\": \"a\", \"dimensions\": 1" + "0".repeat(100_000) + "}").statusCode());
        assertEquals(422, server.post("/embed", "{\"inputs\": \"a\", \"dimensions\": 1e999999999}").statusCode());
        assertEquals(400, server.post("/embed", "{\"inputs\": \"half a character: \\ud800\"}").statusCode());
        assertEquals(200, server.post("/embed", "{\"inputs\": \"\\u0000 \\u202e\"}").statusCode());
    }

    @Test
    void shouldRefuseBodiesThatAreTooLarge() throws Exception {
        String ten = "x".repeat(10_000_000);
        assertEquals(413, server.post("/embed", ten).statusCode());
        assertEquals(413, server.post("/v1/embeddings", ten).statusCode());
        try (var client = new RawClient(server)) {
            client.send("POST /embed HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
            String answer;
            try {
                for (int i = 0; i < 10; i++) {
                    client.send("f4240\r\n" + "x".repeat(1_000_000) + "\r\n");
                }
                answer = client.read(null);
            } catch (IOException e) {
                answer = "HTTP/1.1 413"; // it was refused before all of it was sent
            }
            assertStatus(413, answer);
        }
        assertStatus(413, once("POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\nExpect: 100-continue\r\n\r\n"));
        try (var client = new RawClient(server)) {
            client.send("POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\nExpect: 100-continue\r\n\r\n");
            assertStatus(100, client.read("\r\n\r\n"));
            assertStatus(200, client.send("{\"inputs\": \"cat\"}").read("\r\n\r\n"));
        }
    }

    @Test
    void shouldRefuseWhatIsNotHttp() throws Exception {
        assertStatus(431, once("GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + "x".repeat(20_000) + "\r\n\r\n"));
        assertStatus(431, once("GET /health HTTP/1.1\r\nHost: localhost\r\n" + "A: b\r\n".repeat(100_000)));
        assertStatus(414, once("GET /" + "x".repeat(10_000) + " HTTP/1.1\r\n\r\n"));
        assertStatus(400, once("\u0016\u0003\u0001 hello\r\n\r\n"));
        assertStatus(400, once("POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"));
        assertStatus(400, once("POST /embed HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"));
        assertStatus(403, once("GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"));
        assertStatus(403, once("GET /health HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nConnection: close\r\n\r\n"));
        assertStatus(400, once("GET /health HTTP/1.1\r\n\r\n"));
        assertStatus(400, once("GET /health HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n"));
        assertStatus(505, once("GET /health HTTP/2.0\r\nHost: localhost\r\n\r\n"));
        assertStatus(200, once("GET /health HTTP/1.0\r\n\r\n"));
        assertStatus(200, once("GET http://localhost/health?x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
        String crossed = once("GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        assertFalse(crossed.toLowerCase().contains("access-control"), crossed);
    }

    @Test
    void shouldAnswerPipelinedRequestsInTheirOrder() throws Exception {
        try (var client = new RawClient(server)) {
            String three = RawClient.post("/embed", "{\"inputs\": \"one\"}")
                    + RawClient.post("/tokenize", "{\"inputs\": \"two\"}") + RawClient.post("/nowhere", "{}")
                    + "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            String answer = client.send(three).read(null);
            int tokens = answer.indexOf("\"text\":\"two\"");
            assertTrue(answer.indexOf("[[-0.") > 0 && tokens > answer.indexOf("[[-0."), answer);
            assertTrue(answer.indexOf("no such route") > tokens, answer);
            assertEquals(5, answer.split("HTTP/1.1 ").length, answer);
        }
    }

    @Test
    void shouldCloseConnectionsThatDoNotSay() throws Exception {
        try (var silent = new RawClient(server); var slow = new RawClient(server); var half = new RawClient(server)) {
            half.send("POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{");
            String request = "GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ";
            long begin = System.nanoTime();
            try {
                for (int i = 0; System.nanoTime() - begin < ARRIVAL.toNanos() * 2; i++) {
                    slow.send(i < request.length() ? request.substring(i, i + 1) : "x");
                    Thread.sleep(20);
                }
            } catch (IOException e) {
                // It was closed.
            }
            assertTrue(silent.isEnded(), "silent");
            assertTrue(slow.isEnded(), "slow");
            assertStatus(408, half.read(null));
        }
    }

    @Test
    void shouldEndTheWorkOfClientsThatLeave() throws Exception {
        long before = server.server.load()[0];
        for (String streams : List.of("true", "false")) {
            List<RawClient> clients = new ArrayList<>();
            for (int i = 0; i < 12; i++) {
                clients.add(new RawClient(server).send(RawClient.post("/v1/completions", LONG.formatted(streams))));
            }
            await(() -> server.server.load()[1] == 12, "12 at work");
            if (streams.equals("true")) {
                clients.getFirst().read("data: ");
            }
            for (int i = 0; i < clients.size(); i++) {
                if (i % 3 == 0) {
                    clients.get(i).socket.setSoLinger(true, 0); // reset
                }
                if (i % 3 == 1) {
                    clients.get(i).socket.shutdownOutput(); // half-closed, and nobody reads
                } else {
                    clients.get(i).close();
                }
            }
            await(() -> server.server.load()[1] == 0, "work goes on for nobody");
            await(() -> server.server.load()[0] <= before, "connections are left");
            for (RawClient client : clients) {
                client.close();
            }
        }
    }

    @Test
    void shouldGiveUpAClientThatDoesNotRead() throws Exception {
        try (var client = new RawClient(server)) {
            client.send(RawClient.post("/v1/completions", LONG.formatted("true")));
            await(() -> server.server.load()[1] == 1, "at work");
            await(() -> server.server.load()[1] == 0, "it still writes");
            String end = client.read(null);
            assertTrue(end.contains("[DONE]") || end.length() < 20_000_000, "whole or given up");
        }
    }

    /** Lets this process open so many files, if it may. */
    private static void raiseFiles(long files) throws Exception {
        var system = (UnixOperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        if (system.getMaxFileDescriptorCount() < files) {
            new ProcessBuilder("prlimit", "--pid", String.valueOf(ProcessHandle.current().pid()), "--nofile=" + files)
                    .redirectError(Redirect.DISCARD).start().waitFor();
        }
        assumeTrue(system.getMaxFileDescriptorCount() >= files, "this process may open " + system.getMaxFileDescriptorCount()
                + " files, of " + files + " that " + CONNECTIONS + " connections need; raise ulimit -n");
    }

    @Test
    void shouldServeManyConnections() throws Exception {
        raiseFiles(CONNECTIONS + 300);
        Duration patience = Duration.ofSeconds(100); // all connect before the first sends
        ServerLimits limits = ServerLimits.defaults().withConnections(CONNECTIONS).withRequests(CONNECTIONS)
                .withTimes(patience, patience, patience);
        try (TestServer crowded = TestServer.start(TestServer.options().withLimits(limits), List.of(TestServer.EMBEDDER))) {
            try (Crowd crowd = Crowd.start(crowded.server.port(), CONNECTIONS)) {
                assertEquals(CONNECTIONS + " of " + CONNECTIONS + " answered", crowd.line());
                assertEquals(CONNECTIONS, crowded.server.load()[0]);
                crowd.tryOneMore();
                assertEquals("refused", crowd.line());
            }
            await(() -> crowded.server.load()[0] == 0 && crowded.server.load()[1] == 0, "connections are left");
        }
    }

    @Test
    void shouldRefuseWhatIsTooMuch() throws Exception {
        try (TestServer small = start(ServerLimits.defaults().withRequests(2).withParallel(1).withTokens(64, 64))) {
            assertEquals(429, small.post("/embed", "{\"inputs\": \"" + "word ".repeat(100) + "\"}").statusCode());
            var streams = new ArrayList<RawClient>();
            for (int i = 0; i < 2; i++) {
                streams.add(new RawClient(small).send(RawClient.post("/v1/completions", LONG.formatted("true"))));
            }
            await(() -> small.server.load()[1] == 2, "2 at work");
            HttpResponse<String> full = small.post("/v1/completions", "{\"prompt\": [1]}");
            assertEquals(429, full.statusCode());
            assertEquals("1", full.headers().firstValue("Retry-After").orElseThrow());
            assertTrue(full.body().contains("the server answers 2 requests at a time, and as many are there"), full.body());
            assertEquals(429, small.post("/embed", "{\"inputs\": \"a\"}").statusCode());
            assertEquals(200, small.get("/health").statusCode());
            for (RawClient client : streams) {
                client.close();
            }
            await(() -> small.server.load()[1] == 0, "work goes on for nobody");
            assertEquals(200, small.post("/embed", "{\"inputs\": \"a\"}").statusCode());
        }
    }

    @Test
    void shouldEndWhatTakesTooLong() throws Exception {
        try (TestServer strict = start(ServerLimits.defaults().withDeadline(Duration.ofMillis(300)))) {
            HttpResponse<String> late = strict.post("/v1/completions", LONG.formatted("false"));
            assertEquals(503, late.statusCode(), late.body());
            assertTrue(late.body().contains("there was no answer within 300 ms"), late.body());
            HttpResponse<String> begun;
            do {
                begun = strict.post("/v1/completions", LONG.formatted("true"));
            } while (begun.statusCode() == 503); // a machine that is busy may not get to the first token
            String stream = begun.body();
            assertTrue(stream.endsWith("\"type\":\"server_error\",\"param\":null,\"code\":\"unavailable\"}}\n\n"),
                    stream.substring(Math.max(0, stream.length() - 300)));
            assertFalse(stream.contains("[DONE]"));
        }
    }

    @Test
    void shouldFinishWhatHasBegunAndRefuseWhatIsNew() throws Exception {
        TestServer ending = start(ServerLimits.defaults());
        var idle = new RawClient(ending).send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n");
        idle.read("\r\n\r\n");
        var stream = new RawClient(ending).send(RawClient.post("/v1/completions",
                "{\"prompt\": [1, 2], \"max_tokens\": 300, \"stream\": true}"));
        stream.read("data: ");
        CompletableFuture<Boolean> end = CompletableFuture.supplyAsync(() -> ending.server.close(Duration.ofSeconds(30)));
        assertTrue(idle.isEnded(), "an idle connection");
        await(() -> refuses(ending), "it takes connections");
        assertTrue(stream.read(null).contains("[DONE]"));
        assertTrue(end.get(), "finished by itself");
        TestServer hurried = start(ServerLimits.defaults());
        var second = new RawClient(hurried).send(RawClient.post("/v1/completions", LONG.formatted("true")));
        second.read("data: ");
        long begin = System.nanoTime();
        assertFalse(hurried.server.close(Duration.ofMillis(100)));
        assertTrue(System.nanoTime() - begin < 10_000_000_000L);
        assertTrue(second.read(null).contains("the server ends"));
        assertArrayEquals(new long[] {0, 0, 0}, hurried.server.load(), Arrays.toString(hurried.server.load()));
    }
}
