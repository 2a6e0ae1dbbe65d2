package dev.fovea.bench.run;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonParseException;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Suite;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * The directory of the raw results, one JSON file per finished job. Each is written beside and renamed, so that what
 * has its name is whole.
 *
 * <pre>
 * DIR/raw/run.json             the {@link Circumstances} of all
 * DIR/raw/attention/n128.json  the {@link JobRecord} of one job
 * </pre>
 */
final class RawResults {
    private static final Gson JSON =
            new GsonBuilder().setPrettyPrinting().disableHtmlEscaping().serializeSpecialFloatingPointValues().create();

    private final Path raw;

    private RawResults(Path raw) {
        this.raw = raw;
    }

    /**
     * Opens the results in {@code directory}, which may be new.
     *
     * @throws IllegalArgumentException if it holds results of other circumstances
     * @throws IOException if it cannot be written, or its files are not such results
     */
    static RawResults open(Path directory, Circumstances circumstances) throws IOException {
        Path raw = directory.resolve("raw");
        Path run = raw.resolve("run.json");
        Files.createDirectories(raw);
        RawResults results = new RawResults(raw);
        if (Files.exists(run)) {
            String difference = circumstances.difference(read(run, Circumstances.class));
            if (difference != null) {
                throw new IllegalArgumentException(directory + " holds results of a different run (" + difference
                        + "); choose another directory with --out");
            }
        } else {
            results.write(run, circumstances);
        }
        return results;
    }

    /** What {@code job} found, or null if it has not finished yet. */
    JobRecord find(Suite suite, Job job) throws IOException {
        Path file = file(suite.name(), job.name());
        return Files.exists(file) ? read(file, JobRecord.class) : null;
    }

    void keep(JobRecord record) throws IOException {
        write(file(record.suite(), record.job()), record);
    }

    private Path file(String suite, String job) {
        if (!job.matches("[A-Za-z0-9.-]+")) {
            throw new IllegalArgumentException(
                    "a job name may have letters, digits, dots and dashes, got \"" + job + "\" in " + suite);
        }
        return raw.resolve(suite).resolve(job + ".json");
    }

    private void write(Path file, Object content) throws IOException {
        Files.createDirectories(file.getParent());
        Path beside = Files.createTempFile(file.getParent(), "." + file.getFileName(), ".part");
        try {
            Files.write(beside, List.of(JSON.toJson(content)), StandardCharsets.UTF_8);
            Files.move(beside, file, StandardCopyOption.ATOMIC_MOVE);
        } finally {
            Files.deleteIfExists(beside);
        }
    }

    private static <T> T read(Path file, Class<T> type) throws IOException {
        try {
            T content = JSON.fromJson(Files.readString(file), type);
            if (content == null) {
                throw new IOException(file + " is empty; delete it to measure it again");
            }
            return content;
        } catch (JsonParseException e) {
            throw new IOException(file + " is not a result of this command; delete it to measure it again", e);
        }
    }
}
