package dev.fovea.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/** The user's own Maven, with its settings. */
final class MavenCommand {
    private static final String COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";
    private static final String ERROR = "[ERROR]";
    private static final boolean WINDOWS = File.separatorChar == '\\';

    private final Path executable;

    private MavenCommand(Path executable) {
        this.executable = executable;
    }

    /**
     * Finds {@code mvn} on {@code PATH}, else in {@code MAVEN_HOME}, else {@code mvnw} in {@code directory}.
     *
     * @param environment the variables
     * @throws IOException if there is none
     */
    static MavenCommand find(Map<String, String> environment, Path directory) throws IOException {
        List<Path> candidates = new ArrayList<>();
        String mvn = WINDOWS ? "mvn.cmd" : "mvn";
        for (String entry : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
            if (!entry.isEmpty()) {
                candidates.add(Path.of(entry, mvn));
            }
        }
        if (environment.get("MAVEN_HOME") instanceof String home && !home.isEmpty()) {
            candidates.add(Path.of(home, "bin", mvn));
        }
        candidates.add(directory.resolve(WINDOWS ? "mvnw.cmd" : "mvnw"));
        for (Path candidate : candidates) {
            if (Files.isRegularFile(candidate) && Files.isExecutable(candidate)) {
                return new MavenCommand(candidate.toAbsolutePath());
            }
        }
        throw new IOException("Maven was not found: there is no mvn on PATH or in MAVEN_HOME,"
                + " and no mvnw in this directory");
    }

    /**
     * Copies the jar of {@code artifact}, {@code group:artifact:version}, from the local repository, where Maven
     * puts it from the user's mirrors if necessary.
     *
     * @param directory an empty directory for the jar; Maven runs in it, so that no project interferes
     * @param log takes Maven's output, line by line
     * @return the jar
     * @throws IOException if Maven fails; the message is its first error
     */
    Path copy(String artifact, Path directory, Consumer<String> log) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(executable.toString(), "--batch-mode", COPY,
                        "-Dartifact=" + artifact, "-DoutputDirectory=" + directory)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        process.getOutputStream().close();
        String firstError = null;
        try (BufferedReader output = process.inputReader()) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                log.accept(line);
                if (firstError == null && line.startsWith(ERROR)) {
                    firstError = line.substring(ERROR.length()).strip();
                }
            }
        } finally {
            process.destroy();
        }
        int status = process.waitFor();
        if (status != 0) {
            throw new IOException(executable + " failed with status " + status
                    + (firstError == null ? "" : ": " + firstError));
        }
        return onlyJar(artifact, directory);
    }

    /** Its path. */
    @Override
    public String toString() {
        return executable.toString();
    }

    private static Path onlyJar(String artifact, Path directory) throws IOException {
        try (var files = Files.newDirectoryStream(directory, "*.jar")) {
            for (Path jar : files) {
                return jar;
            }
        }
        throw new IOException("Maven succeeded but left no jar of " + artifact + " in " + directory);
    }
}
