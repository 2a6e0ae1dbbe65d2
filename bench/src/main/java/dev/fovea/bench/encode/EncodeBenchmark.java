package dev.fovea.bench.encode;

import dev.fovea.Backend;
import dev.fovea.model.ModelCatalog;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Token ids to vectors with all-MiniLM-L6-v2, against ONNX Runtime on the same file with as many threads. From the top
 * of the repository, with a JDK 25 in front where the default {@code java} is older:
 *
 * <pre>{@code
 * mvn -Pjmh -pl bench -am package -DskipTests
 * PATH=/usr/lib/jvm/temurin-25-jdk-amd64/bin:$PATH
 * java -jar bench/target/benchmarks.jar Encode
 * java -jar bench/target/benchmarks.jar Encode -bm sample -p batch=1x16 -p threads=1
 * java -jar bench/target/benchmarks.jar Encode -prof gc -r 10 -p engine=fovea -p batch=1x32
 * }</pre>
 *
 * <p>The second run shows a call's p50 and p99, the third what it allocates. JMH counts the 7 KB that it allocates
 * itself per iteration among that, so the iterations are long: of a call that allocates nothing it says 3 bytes.
 * Before anything is timed, each batch's vectors are compared with those of the other engine.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// Enough for the JIT to be done with the step loop; the kernels themselves need none.
@Warmup(iterations = 4, time = 1)
@Measurement(iterations = 5, time = 1)
// Weights land at other addresses in each process, and with them the conflicts in the caches.
@Fork(value = 3, jvmArgsAppend = {"-Xmx1g", "--enable-native-access=ALL-UNNAMED"})
public class EncodeBenchmark {
    /** How far components of vectors of length 1 may lie apart. */
    private static final float TOLERANCE = 1e-5f;

    /** The batches differ, so that no engine meets the same words again and again. */
    private static final int BATCHES = 8;

    /** What computes. */
    @Param({"fovea", "onnxruntime"})
    public String engine;

    /** Texts × tokens of each. */
    @Param({"1x8", "1x16", "1x32", "1x128", "1x512", "32x32"})
    public String batch;

    /** Threads that share one call. */
    @Param({"1", "2"})
    public int threads;

    private Path model;
    // Freed by the end of the process: what a @TearDown allocates, JMH counts as the last iteration's.
    private TokenEncoder encoder;
    private int next;

    /** Loads the model and compares the engine with its peer. */
    @Setup
    public void load() throws Exception {
        String[] shape = batch.split("x");
        Random random = new Random(42);
        List<TokenBatch> batches = Stream.generate(
                        () -> TokenBatch.random(random, Integer.parseInt(shape[0]), Integer.parseInt(shape[1])))
                .limit(BATCHES)
                .toList();
        model = withoutLimit(ModelCatalog.directory(ModelCatalog.find("all-minilm-l6-v2").orElseThrow()));
        encoder = open(engine, batches);
        try (TokenEncoder peer = open(engine.equals("onnxruntime") ? "fovea" : "onnxruntime", batches)) {
            for (int i = 0; i < BATCHES; i++) {
                encoder.encode(i);
                peer.encode(i);
                compare(encoder.vectors(), peer.vectors());
            }
        }
    }

    private TokenEncoder open(String engine, List<TokenBatch> batches) throws Exception {
        return switch (engine) {
            case "fovea" -> new FoveaEncoder(model, Backend.NATIVE, threads, batches);
            case "fovea-java" -> new FoveaEncoder(model, Backend.JAVA, threads, batches);
            case "onnxruntime" -> new OnnxRuntimeEncoder(model.resolve("model.onnx"), threads, batches);
            default -> throw new IllegalArgumentException(
                    "engine must be fovea, fovea-java or onnxruntime, got " + engine);
        };
    }

    /** The model without the file that limits it to 256 of the 512 tokens that it has positions for. */
    private static Path withoutLimit(Path model) throws IOException {
        Path directory = Files.createTempDirectory("fovea-benchmark");
        directory.toFile().deleteOnExit();
        for (String name : new String[] {"model.onnx", "tokenizer.json", "config.json", "modules.json", "1_Pooling"}) {
            Files.createSymbolicLink(directory.resolve(name), model.resolve(name)).toFile().deleteOnExit();
        }
        return directory;
    }

    private static void compare(float[] vectors, float[] expected) {
        for (int i = 0; i < expected.length; i++) {
            if (!(Math.abs(vectors[i] - expected[i]) <= TOLERANCE)) {
                throw new IllegalStateException(
                        "component " + i + " is " + vectors[i] + " here and " + expected[i] + " in the peer");
            }
        }
    }

    /** Encodes the next batch. */
    @Benchmark
    public void encode() {
        next = (next + 1) % BATCHES;
        encoder.encode(next);
    }
}
