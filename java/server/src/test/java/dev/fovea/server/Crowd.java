package dev.fovea.server;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Many clients in a process of their own, so that a limit of open files counts their ends of connections apart. */
final class Crowd implements AutoCloseable {
    private final Process process;
    private final BufferedReader said;

    private Crowd(Process process) {
        this.process = process;
        this.said = process.inputReader();
    }

    /** Connects clients, each of which asks once; every fourth has a text embedded. */
    static Crowd start(int port, int clients) throws IOException {
        return new Crowd(new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m",
                "-cp", System.getProperty("java.class.path"), Crowd.class.getName(), String.valueOf(port),
                String.valueOf(clients)).redirectError(Redirect.INHERIT).start());
    }

    /** What the process says next. */
    String line() throws IOException {
        return said.readLine();
    }

    /** Lets one more than there may be connect; {@link #line} tells what becomes of it. */
    void tryOneMore() throws IOException {
        process.outputWriter().write("\n");
        process.outputWriter().flush();
    }

    /** Ends all connections with the process. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The process: the arguments are the port, and how many clients. */
    public static void main(String[] args) throws Exception {
        int port = Integer.parseInt(args[0]);
        int count = Integer.parseInt(args[1]);
        List<RawClient> clients = new ArrayList<>();
        List<Callable<String>> calls = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            RawClient client = new RawClient(port);
            client.socket.setSoTimeout(90_000);
            clients.add(client);
            String request = i % 4 == 0 ? RawClient.post("/embed", "{\"inputs\": \"crowd\"}")
                    : "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
            calls.add(() -> client.send(request).read("\r\n\r\n"));
        }
        int good = 0;
        try (var pool = Executors.newVirtualThreadPerTaskExecutor()) {
            for (var answer : pool.invokeAll(calls)) {
                good += answer.get().startsWith("HTTP/1.1 200") ? 1 : 0;
            }
        }
        System.out.println(good + " of " + clients.size() + " answered");
        System.in.read();
        for (int i = 0; i < 10; i++) {
            clients.add(new RawClient(port));
        }
        System.out.println(clients.getLast().isEnded() ? "refused" : "accepted");
        System.in.read();
        throw new UncheckedIOException(new IOException("expected to be ended, got more to read"));
    }
}
