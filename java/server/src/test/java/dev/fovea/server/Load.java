package dev.fovea.server;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;

/**
 * Clients that each send a request, wait for its answer, and send the next, for a time.
 *
 * @param clients how many
 * @param bodies what they send, each of them in an order of its own
 */
record Load(int clients, String path, List<String> bodies) {
    /** What came of it: answers with status 200, others, and how long answers took, sorted. */
    record Result(int answers, int others, long[] nanos, double seconds) {
        double perSecond() {
            return answers / seconds;
        }

        double millis(double share) {
            return nanos.length == 0 ? Double.NaN : nanos[(int) Math.min(nanos.length - 1, share * nanos.length)] / 1e6;
        }

        @Override
        public String toString() {
            return String.format(Locale.ROOT, "%.0f answers/s, p50 %.1f ms, p99 %.1f ms, %d of another status", perSecond(),
                    millis(0.5), millis(0.99), others);
        }
    }

    /** Texts of some words, short ones more often. */
    static List<String> texts(int count, int fewest, int most) {
        var random = new Random(5);
        String[] words = "the quick brown fox jumps over a lazy dog while nine old engines hum in the dark hall of numbers".split(" ");
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int length = (int) (fewest * Math.pow((double) most / fewest, random.nextDouble()));
            StringBuilder text = new StringBuilder();
            for (int w = 0; w < length; w++) {
                text.append(words[random.nextInt(words.length)]).append(' ');
            }
            texts.add(text.toString().strip());
        }
        return texts;
    }

    Result run(int port, double seconds) throws Exception {
        long begin = System.nanoTime();
        long end = begin + (long) (seconds * 1e9);
        List<Callable<List<Long>>> calls = new ArrayList<>();
        for (int i = 0; i < clients; i++) {
            int seed = i;
            calls.add(() -> send(port, seed, end));
        }
        List<Long> all = new ArrayList<>();
        try (var pool = Executors.newFixedThreadPool(clients)) {
            for (var times : pool.invokeAll(calls)) {
                all.addAll(times.get());
            }
        }
        long[] good = all.stream().filter(time -> time >= 0).mapToLong(Long::longValue).sorted().toArray();
        return new Result(good.length, all.size() - good.length, good, (System.nanoTime() - begin) / 1e9);
    }

    private List<Long> send(int port, int seed, long end) throws IOException {
        List<Long> times = new ArrayList<>();
        var random = new Random(seed);
        byte[] buffer = new byte[1 << 16];
        try (var socket = new Socket("127.0.0.1", port)) {
            socket.setTcpNoDelay(true);
            InputStream in = new BufferedInputStream(socket.getInputStream(), 1 << 16);
            do { // once, however busy the machine is
                byte[] request = RawClient.post(path, bodies.get(random.nextInt(bodies.size()))).getBytes(StandardCharsets.UTF_8);
                long start = System.nanoTime();
                socket.getOutputStream().write(request);
                boolean good = readAnswer(in, buffer) == 200;
                times.add(good ? System.nanoTime() - start : -1);
            } while (System.nanoTime() < end);
        }
        return times;
    }

    private static int readAnswer(InputStream in, byte[] buffer) throws IOException {
        int length = 0;
        int status = 0;
        boolean chunked = false;
        for (String line = line(in, buffer); !line.isEmpty(); line = line(in, buffer)) {
            String lower = line.toLowerCase(Locale.ROOT);
            if (lower.startsWith("http/1.1 ")) {
                status = Integer.parseInt(line.substring(9, 12));
            } else if (lower.startsWith("content-length:")) {
                length = Integer.parseInt(line.substring(15).strip());
            } else if (lower.startsWith("transfer-encoding:")) {
                chunked = true;
            }
        }
        if (!chunked) {
            skip(in, buffer, length);
            return status;
        }
        do {
            length = Integer.parseInt(line(in, buffer), 16);
            skip(in, buffer, length + 2); // and the end of the line
        } while (length > 0);
        return status;
    }

    private static void skip(InputStream in, byte[] buffer, int length) throws IOException {
        while (length > 0) {
            int read = in.read(buffer, 0, Math.min(length, buffer.length));
            if (read < 0) {
                throw new IOException("the server closed the connection");
            }
            length -= read;
        }
    }

    private static String line(InputStream in, byte[] buffer) throws IOException {
        int count = 0;
        for (int one = in.read(); one != '\n'; one = in.read()) {
            if (one < 0) {
                throw new IOException("the server closed the connection");
            }
            buffer[count++] = (byte) one;
        }
        return new String(Arrays.copyOf(buffer, count), StandardCharsets.ISO_8859_1).strip();
    }
}
