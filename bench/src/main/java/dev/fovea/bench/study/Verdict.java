package dev.fovea.bench.study;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a side says of itself from within its own JVM, before it is timed: its version, settings and memory, that it is
 * absent, or that its result is wrong. Passed through a file, whose lines the job reads.
 */
public final class Verdict {
    private static final String FILE = "fovea.bench.verdict";
    private static final String SABOTAGE = "fovea.bench.sabotage";

    private Verdict() {}

    /** Thrown where a side must not be timed. */
    public static final class NotTimed extends RuntimeException {
        private static final long serialVersionUID = 1;

        NotTimed(String message) {
            super(message);
        }
    }

    /** Says the version of the side. */
    public static void version(String version) {
        send("version", version);
    }

    /** Says how the side runs. */
    public static void setting(String setting) {
        send("setting", setting);
    }

    /** Says a figure of the side that no clock gives, such as the memory that it needs. */
    public static void measured(String metric, double value) {
        send("measured", metric + ' ' + value);
    }

    /** Says that the side is not there; the benchmark ends by throwing what this returns. */
    public static NotTimed absent(String reason) {
        send("absent", reason);
        return new NotTimed(reason);
    }

    /**
     * Compares a result with the reference; the test hook falsifies it first.
     *
     * @param tolerance absolute, of each element
     * @throws NotTimed if an element is off by more, or not a number
     */
    public static void agree(float[] reference, float[] result, double tolerance) {
        if (Boolean.getBoolean(SABOTAGE) && result.length > 0) {
            int middle = result.length / 2;
            result[middle] += (float) (2 * tolerance + 1e-3) + 2 * Math.ulp(result[middle]);
        }
        if (reference.length != result.length) {
            throw refuse("expected " + reference.length + " elements, got " + result.length);
        }
        for (int i = 0; i < result.length; i++) {
            if (!(Math.abs((double) result[i] - reference[i]) <= tolerance)) {
                throw refuse("element " + i + " is " + result[i] + ", the reference says " + reference[i]
                        + ", tolerance " + tolerance);
            }
        }
    }

    /**
     * Compares directions: of vectors that another arithmetic, such as that of int8, or another tokenizer gives.
     *
     * @param width components of a vector; reference and result hold several
     * @param least the smallest cosine between a vector and its reference
     * @throws NotTimed if a cosine is smaller, or not a number
     */
    public static void agreeByCosine(float[] reference, float[] result, int width, double least) {
        if (Boolean.getBoolean(SABOTAGE)) {
            for (int i = 0; i < Math.min(width, result.length); i += 2) {
                result[i] = -result[i];
            }
        }
        if (reference.length != result.length) {
            throw refuse("expected " + reference.length + " elements, got " + result.length);
        }
        for (int start = 0; start < result.length; start += width) {
            double cosine = cosine(reference, result, start, start + width);
            if (!(cosine >= least)) {
                throw refuse("vector " + start / width + " has the cosine " + cosine + " to its reference, must have "
                        + least);
            }
        }
    }

    private static double cosine(float[] a, float[] b, int start, int end) {
        double product = 0;
        double squaresOfA = 0;
        double squaresOfB = 0;
        for (int i = start; i < end; i++) {
            product += (double) a[i] * b[i];
            squaresOfA += (double) a[i] * a[i];
            squaresOfB += (double) b[i] * b[i];
        }
        return product / Math.sqrt(squaresOfA * squaresOfB);
    }

    private static NotTimed refuse(String reason) {
        send("refused", reason);
        return new NotTimed(reason);
    }

    private static void send(String kind, String text) {
        String file = System.getProperty(FILE);
        if (file == null) {
            return;
        }
        try {
            String line = kind + ' ' + text.replace('\n', ' ') + '\n';
            Files.writeString(Path.of(file), line, StandardOpenOption.CREATE,
                    StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The job's end. */
    record Outbox(Path file) {
        List<String> flags(boolean sabotaged) {
            return List.of("-D" + FILE + "=" + file, "-D" + SABOTAGE + "=" + sabotaged);
        }

        /** Hands on what the side said; whether it said that it is not to be timed. */
        boolean deliver(String side, Map<String, String> work, Findings findings) throws IOException {
            boolean notTimed = false;
            Map<String, List<Double>> figures = new LinkedHashMap<>();
            for (String line : Files.readAllLines(file)) {
                String text = line.substring(line.indexOf(' ') + 1);
                switch (line.substring(0, line.indexOf(' '))) {
                    case "version" -> findings.version(side, text);
                    case "setting" -> findings.setting(side, text);
                    case "measured" -> {
                        int space = text.indexOf(' ');
                        figures.computeIfAbsent(text.substring(0, space), _ -> new ArrayList<>())
                                .add(Double.valueOf(text.substring(space + 1)));
                    }
                    case "absent" -> {
                        findings.absent(side, text);
                        notTimed = true;
                    }
                    case "refused" -> {
                        findings.refused(side, work, text);
                        notTimed = true;
                    }
                    default -> throw new IOException("unknown line in " + file + ": " + line);
                }
            }
            figures.forEach((metric, samples) ->
                    findings.measured(new Measurement(side, work, metric, samples)));
            return notTimed;
        }

        void discard() throws IOException {
            Files.deleteIfExists(file);
        }
    }

    static Outbox outbox() throws IOException {
        Path file = Files.createTempFile("fovea-bench", ".verdict");
        file.toFile().deleteOnExit(); // of a run that is interrupted
        return new Outbox(file);
    }
}
