package dev.fovea.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.Backend;
import dev.fovea.EngineOptions;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A program that forgets to close everything costs nothing while it idles, and still exits. */
class ForgottenCloseTest {
    /** Where Linux shows the threads of a process, of Java and of C; elsewhere only the exit is tested. */
    private static final Path TASKS = Path.of("/proc/self/task");

    private static final int THREADS = 4;

    /** Far more than a busy host takes; it is over only for a program that does not end. */
    private static final int MINUTES = 5;

    @TempDir
    private Path directory;

    /**
     * Such a program. Arguments: backend, model directory. It prints how many workers there are, which of the threads
     * that came after its start do not sleep, and which would keep the JVM alive.
     */
    static final class Forgetful {
        private Forgetful() {}

        public static void main(String[] arguments) throws Exception {
            Set<String> ofTheJvm = Set.copyOf(Task.all().keySet());
            var engine = EngineOptions.defaults()
                    .withBackend(Backend.valueOf(arguments[0]))
                    .withThreads(THREADS);
            var encoder = TextEncoder.load(
                    Path.of(arguments[1]), EncoderOptions.defaults().withEngineOptions(engine));
            encoder.newSession();
            for (int i = 0; i < 100; i++) {
                encoder.encodeAll(List.of("w1", "w2 w3"));
            }
            long workers = Task.all().values().stream().filter(task -> task.name().equals("fovea-worker")).count();
            System.out.println("workers: " + workers);
            System.out.println("awake: " + awake(ofTheJvm));
            List<String> keeping = Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> !thread.isDaemon() && thread != Thread.currentThread())
                    .map(Thread::getName)
                    .toList();
            System.out.println("keeping the JVM alive: " + keeping);
            if (!keeping.isEmpty()) {
                Runtime.getRuntime().halt(1);
            }
        }

        /**
         * Threads that came later than others and do not sleep for 300 ms on end, though they have half a minute to
         * begin. Who sleeps at both ends, and has not gone to sleep between them, has not run between them, however
         * little the host lets anyone run.
         */
        private static List<Task> awake(Set<String> others) throws Exception {
            List<Task> awake = List.of();
            for (int i = 0; i < 100; i++) {
                Map<String, Task> before = Task.all();
                Thread.sleep(300);
                Map<String, Task> after = Task.all();
                after.keySet().removeAll(others);
                Predicate<Map.Entry<String, Task>> slept = task ->
                        task.getValue().state().equals("S") && task.getValue().equals(before.get(task.getKey()));
                awake = after.entrySet().stream().filter(slept.negate()).map(Map.Entry::getValue).toList();
                if (awake.isEmpty()) {
                    break;
                }
            }
            return awake;
        }
    }

    /**
     * A thread of this process, as Linux sees it.
     *
     * @param state {@code S} while it sleeps
     * @param naps how often it has gone to sleep
     */
    record Task(String name, String state, long naps) {
        private static final Pattern STATUS = Pattern.compile(
                "Name:\\s(.*?)\n.*\nState:\\s(\\S).*\nvoluntary_ctxt_switches:\\s(\\d+)", Pattern.DOTALL);

        /** All of them, by their ids; none where the system does not tell. */
        static Map<String, Task> all() throws IOException {
            Map<String, Task> tasks = new TreeMap<>();
            if (!Files.isDirectory(TASKS)) {
                return tasks;
            }
            try (DirectoryStream<Path> directories = Files.newDirectoryStream(TASKS)) {
                for (Path task : directories) {
                    Matcher status = STATUS.matcher(status(task));
                    if (status.find()) {
                        tasks.put(task.getFileName().toString(),
                                new Task(status.group(1), status.group(2), Long.parseLong(status.group(3))));
                    }
                }
            }
            return tasks;
        }

        private static String status(Path task) {
            try {
                return Files.readString(task.resolve("status"));
            } catch (IOException _) {
                return ""; // It ended meanwhile.
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NATIVE", "JAVA"})
    void shouldIdleAsleepAndExitWhenNothingIsClosed(String backend) throws Exception {
        new TinyModel(1).write(directory);
        Path output = directory.resolve("output");
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                // Or the JVM itself would start threads later than main.
                "-XX:+UseSerialGC",
                "-XX:-UseDynamicNumberOfCompilerThreads",
                "-Dfovea.cache=" + System.getProperty("fovea.cache", ""),
                "-classpath",
                System.getProperty("java.class.path"),
                Forgetful.class.getName(),
                backend,
                directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(output.toFile())
                .start();
        try {
            boolean exited = process.waitFor(MINUTES, TimeUnit.MINUTES);
            int workers = backend.equals("NATIVE") && Files.isDirectory(TASKS) ? THREADS - 1 : 0;
            assertEquals(List.of("workers: " + workers, "awake: []", "keeping the JVM alive: []"),
                    Files.readAllLines(output));
            assertTrue(exited, "the program does not exit");
            assertEquals(0, process.exitValue());
        } finally {
            process.destroyForcibly();
        }
    }
}
