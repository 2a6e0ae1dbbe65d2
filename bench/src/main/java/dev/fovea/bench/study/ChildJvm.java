package dev.fovea.bench.study;

import java.io.BufferedReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * A JVM of its own, for what JMH does not measure: it runs the {@code main} of a class, which says through {@link
 * Verdict} what it finds. A {@code main} calls {@link #speak} around its work.
 */
public final class ChildJvm {
    /** After this it is stopped, which counts as a failure. */
    private static final long LIMIT_SECONDS = 600;

    /** The work of a {@code main}. */
    @FunctionalInterface
    public interface Body {
        /** Measures. */
        void run() throws Exception;
    }

    private final Class<?> main;
    private String classPath = System.getProperty("java.class.path");

    /** A JVM that runs {@code main}. */
    public ChildJvm(Class<?> main) {
        this.main = main;
    }

    /** Replaces the class path, which is else that of this JVM. */
    public ChildJvm withClassPath(String path) {
        classPath = path;
        return this;
    }

    /** Runs the work of a {@code main}; that a side is absent or wrong is said already, and no failure. */
    public static void speak(Body body) throws Exception {
        try {
            body.run();
        } catch (Verdict.NotTimed _) {
            // The verdict has the reason.
        } catch (NoClassDefFoundError e) {
            Verdict.absent("not on the class path: " + e.getMessage());
        }
    }

    /**
     * Runs the JVM to its end and hands on what it says.
     *
     * @param work the parameters of the measurements
     * @param lines takes each line of its standard output, at once
     * @throws IOException if it fails or takes too long; the message holds the end of what it printed
     */
    public void run(String side, Map<String, String> work, List<String> flags, List<String> arguments,
            Findings findings, Consumer<String> lines) throws IOException, InterruptedException {
        Verdict.Outbox outbox = Verdict.outbox();
        List<String> command = command(flags, outbox.flags(findings.sabotaged(side)), arguments);
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        CompletableFuture.delayedExecutor(LIMIT_SECONDS, TimeUnit.SECONDS).execute(process::destroyForcibly);
        List<String> output = new ArrayList<>();
        try (BufferedReader reader = process.inputReader()) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                output.add(line);
                lines.accept(line);
            }
            process.waitFor();
        } finally {
            process.destroyForcibly();
        }
        if (process.exitValue() != 0) {
            throw new IOException(main.getSimpleName() + " for " + side + " ended with " + process.exitValue() + ": "
                    + String.join(" | ", output.subList(Math.max(0, output.size() - 8), output.size())));
        }
        outbox.deliver(side, work, findings);
    }

    private List<String> command(List<String> flags, List<String> verdict, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        command.add("--enable-native-access=ALL-UNNAMED");
        command.addAll(flags);
        command.addAll(verdict);
        String cache = System.getProperty("fovea.cache");
        if (cache != null) {
            command.add("-Dfovea.cache=" + cache);
        }
        command.addAll(List.of("-cp", classPath, main.getName()));
        command.addAll(arguments);
        return command;
    }
}
