package dev.fovea.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.Gson;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * Clients of all kinds at once, good ones and bad ones, for a time: {@code -Dfovea.soak.server=MINUTES}, else 2 s. Memory, threads
 * and open files must not grow.
 */
class SoakTest {
    private static final double MINUTES = Double.parseDouble(System.getProperty("fovea.soak.server", "0.033"));

    /** What must not grow: threads of the platform, open files, memory of the process in MB. */
    private record Footprint(int threads, long files, long megabytes) {
        static Footprint now() throws Exception {
            System.gc();
            long files;
            try (var all = Files.list(Path.of("/proc/self/fd"))) {
                files = all.count();
            }
            long kilobytes = Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", ""))).sum();
            return new Footprint(ManagementFactory.getThreadMXBean().getThreadCount(), files, kilobytes / 1024);
        }
    }

    @Test
    void shouldNotGrow() throws Exception {
        if (!Files.exists(Path.of("/proc/self/status"))) {
            return;
        }
        var answers = new AtomicLong();
        try (TestServer server = TestServer.start(TestServer.options())) {
            long half = (long) (MINUTES * 30e9);
            run(server, half, answers);
            Footprint before = Footprint.now();
            run(server, half, answers);
            Footprint after = Footprint.now();
            System.out.println(answers + " requests: " + before + " after a half, " + after + " at the end");
            assertEquals(0, server.server.load()[1]);
            assertEquals(0, server.server.load()[2]);
            assertTrue(after.files() <= before.files() + 20, "files: " + before + ", " + after);
            assertTrue(after.threads() <= before.threads() + 20, "threads: " + before + ", " + after);
            assertTrue(MINUTES < 1 || after.megabytes() <= before.megabytes() * 1.15 + 50, "memory: " + before + ", " + after);
            server.ask("/embed", "{'inputs': 'still there'}");
        }
    }

    private static void run(TestServer server, long nanos, AtomicLong answers) throws Exception {
        long end = System.nanoTime() + nanos;
        List<String> texts = Load.texts(100, 3, 120);
        try (var pool = Executors.newFixedThreadPool(16)) {
            List<Callable<Void>> clients = new ArrayList<>();
            for (int i = 0; i < 16; i++) {
                var random = new Random(i);
                clients.add(() -> {
                    while (System.nanoTime() < end) {
                        one(server, random, texts);
                        answers.incrementAndGet();
                    }
                    return null;
                });
            }
            for (var client : pool.invokeAll(clients)) {
                client.get();
            }
        }
        // Clients that left within a request are noticed a moment later.
        for (int i = 0; i < 1000 && (server.server.load()[1] > 0 || server.server.load()[2] > 0); i++) {
            Thread.sleep(10);
        }
    }

    private static void one(TestServer server, Random random, List<String> texts) throws Exception {
        String text = new Gson().toJson(texts.get(random.nextInt(texts.size())));
        switch (random.nextInt(8)) {
            case 0 -> assertEquals(200, server.post("/rerank", "{\"query\": \"w1\", \"texts\": [\"w2\", \"w3\"]}").statusCode());
            case 1 -> assertEquals(200, server.post("/v1/chat/completions", "{\"max_tokens\": 20, \"stream\": true, \"messages\":"
                    + " [{\"role\": \"user\", \"content\": \"w1 w2\"}]}").statusCode());
            case 2 -> assertEquals(400, server.post("/embed", "{\"inputs\": [" + text).statusCode());
            case 3 -> {
                try (var client = new RawClient(server)) {
                    client.send(RawClient.post("/v1/completions", "{\"prompt\": [1], \"max_tokens\": 9000, \"stream\": true}"));
                    client.read("data: ");
                }
            }
            case 4 -> {
                try (var client = new RawClient(server)) {
                    client.send("POST /embed HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{");
                }
            }
            default -> assertEquals(200, server.post("/v1/embeddings", "{\"input\": " + text + "}").statusCode());
        }
    }
}
