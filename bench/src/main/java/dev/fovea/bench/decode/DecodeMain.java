package dev.fovea.bench.decode;

import dev.fovea.EngineOptions;
import dev.fovea.bench.study.ChildJvm;
import dev.fovea.bench.study.Verdict;
import dev.fovea.model.GeneratorOptions;
import dev.fovea.model.TextGenerator;
import dev.fovea.model.WeightType;
import dev.fovea.tensor.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** One side on one file, in a JVM of its own: it loads and writes a token, or it is checked and timed. */
public final class DecodeMain {
    /** Before what the reference found: tokens and the logarithms of their probabilities. */
    static final String REFERENCE = "reference ";
    /** In place of what the reference found: the side only loads. */
    static final String LOADS = "loads";
    /** Before what that took: milliseconds and, where the system says it, its peak of memory, of the file's size. */
    static final String LOADED = "loaded ";

    /** On Linux. */
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final int CHECKED = 6;
    private static final int CHECKED_PROMPT = 12;
    private static final int SHORT = 16;
    /** What a side that only loads has room for: keys and values then take little of its memory. */
    private static final int LOADED_CONTEXT = 128;

    private final String side;
    private final Path file;
    private final DecoderShape shape;
    private final FileType type;
    private final int threads;
    private final int prompt;
    private final int depth;
    private final int tokens;

    private DecodeMain(String[] arguments) {
        side = arguments[0];
        file = Path.of(arguments[1]);
        shape = DecoderShape.of(arguments[2]);
        type = FileType.valueOf(arguments[3]);
        threads = Integer.parseInt(arguments[4]);
        prompt = Integer.parseInt(arguments[5]);
        depth = Integer.parseInt(arguments[6]);
        tokens = Integer.parseInt(arguments[7]);
    }

    /**
     * Measures one side.
     *
     * @param arguments side, file, shape, type, threads, tokens of the prompt that is timed, tokens of the deep context, how
     *     many tokens are timed, directory of llama.cpp, what the reference found or {@link #LOADS}
     */
    public static void main(String[] arguments) throws Exception {
        ChildJvm.speak(() -> {
            DecodeMain main = new DecodeMain(arguments);
            if (main.side.equals(DecodeSuite.REFERENCE)) {
                main.refer();
            } else if (arguments[9].equals(LOADS)) {
                main.loads(arguments[8]);
            } else {
                main.measure(arguments[8], arguments[9]);
            }
        });
    }

    private int context() {
        return depth + tokens + SHORT;
    }

    /** Tokens of a prompt; those of different seeds begin differently. */
    private int[] prompt(int seed, int count) {
        SplittableRandom random = new SplittableRandom(seed);
        return IntStream.range(0, count).map(i -> i == 0 ? seed : random.nextInt(shape.vocabulary() - 1)).toArray();
    }

    /** What fp32 says, weights, activations and cache alike. */
    private void refer() throws IOException {
        var options = GeneratorOptions.defaults().withContext(CHECKED_PROMPT + CHECKED + 1).withWeights(WeightType.F32)
                .withCache(DType.F32).withEngineOptions(EngineOptions.defaults());
        try (var reference = new FoveaSide(TextGenerator.load(file, options))) {
            int[] likeliest = reference.likeliest(prompt(1, CHECKED_PROMPT), CHECKED);
            System.out.println(REFERENCE + Arrays.stream(likeliest).mapToObj(Integer::toString).collect(Collectors.joining(","))
                    + ";" + Arrays.toString(reference.logProbabilities(prompt(1, CHECKED_PROMPT), likeliest)));
        }
    }

    private DecoderSide load(String directory, int context) throws IOException {
        if (side.equals(DecodeSuite.FOVEA)) {
            return FoveaSide.load(file, context, threads);
        }
        return new LlamaCppSide(LlamaCpp.load(Path.of(directory)), file, shape.vocabulary(), context, threads,
                side.equals(DecodeSuite.FLASH));
    }

    private void loads(String directory) throws IOException {
        long started = System.nanoTime();
        try (DecoderSide decoder = load(directory, LOADED_CONTEXT)) {
            decoder.read(prompt(2, 1));
            double millis = (System.nanoTime() - started) * 1e-6;
            decoder.decode(prompt(3, SHORT), tokens);
            System.out.println(LOADED + millis + (Files.exists(STATUS) ? " " + (double) peakBytes() / Files.size(file) : ""));
        }
    }

    private void measure(String directory, String reference) throws IOException {
        try (DecoderSide decoder = load(directory, context())) {
            check(decoder, reference);
            decoder.decode(prompt(3, SHORT), tokens); // warms up
            rate("short", decoder.decode(prompt(4, SHORT), tokens), tokens);
            rate("short", decoder.decode(prompt(5, SHORT), tokens), tokens);
            for (int requests : DecodeSuite.TOGETHER) {
                int[][] prompts = new int[requests][];
                Arrays.setAll(prompts, i -> prompt(10 + i, SHORT));
                Verdict.measured("at" + requests, decoder.decodeTogether(prompts, tokens));
            }
            rate("prompt", decoder.read(prompt(6, prompt)), prompt);
            rate("prompt", decoder.read(prompt(7, prompt)), prompt);
            rate("deep", decoder.decode(prompt(8, depth), tokens), tokens);
        }
    }

    private static void rate(String metric, long nanos, int count) {
        Verdict.measured(metric, count * 1e9 / nanos);
    }

    private void check(DecoderSide decoder, String reference) {
        String[] parts = reference.split(";");
        int[] likeliest = Arrays.stream(parts[0].split(",")).mapToInt(Integer::parseInt).toArray();
        String[] numbers = parts[1].substring(1, parts[1].length() - 1).split(", ");
        float[] expected = new float[numbers.length];
        for (int i = 0; i < numbers.length; i++) {
            expected[i] = Float.parseFloat(numbers[i]);
        }
        Verdict.agree(expected, decoder.logProbabilities(prompt(1, CHECKED_PROMPT), likeliest), type.tolerance(side));
    }

    /** The most memory that this process had. */
    private static long peakBytes() throws IOException {
        for (String line : Files.readAllLines(STATUS)) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("no VmHWM in " + STATUS);
    }
}
