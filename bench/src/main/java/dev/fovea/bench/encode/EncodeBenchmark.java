package dev.fovea.bench.encode;

import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.study.WarmUp;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Token ids to vectors, call after call, each timed. {@link EncodeSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class EncodeBenchmark {
    /** The batches differ, so that no side meets the same words again and again. */
    private static final int BATCHES = 8;

    /** What the JIT needs for the Vector API, before which a call takes many times as long. */
    static final int VECTOR_WARM_UP_SECONDS = 6;

    /** What computes, of {@link MiniLm}. */
    @Param({MiniLm.FOVEA})
    public String side;

    /** Texts × tokens of each. */
    @Param({"1x16"})
    public String batch;

    /** Threads that share one call: a number, or all. */
    @Param({"1"})
    public String threads;

    // Freed by the end of the process: what a @TearDown allocates, JMH counts as the last iteration's.
    private TokenEncoder encoder;
    private int next;

    /** Loads the side and compares its vectors with those of another. */
    @Setup
    public void load() throws Exception {
        String[] shape = batch.split("x");
        List<TokenBatch> batches =
                TokenBatch.ofProse(BATCHES, Integer.parseInt(shape[0]), Integer.parseInt(shape[1]));
        MiniLm model = MiniLm.load(side, EncodeSuite.threads(threads));
        Verdict.version(model.version());
        Verdict.setting(model.setting());
        encoder = model.encoder(batches);
        encoder.encode(0);
        TokenEncoder reference = MiniLm.referenceOf(side).encoder(batches.subList(0, 1));
        reference.encode(0);
        MiniLm.check(side, reference.vectors(), encoder.vectors());
        model.warmUp();
        if (side.equals(MiniLm.FOVEA_VECTOR)) {
            WarmUp.run(VECTOR_WARM_UP_SECONDS, this::encode);
        }
    }

    /** Encodes the next batch. */
    @Benchmark
    public void encode() {
        next = (next + 1) % BATCHES;
        encoder.encode(next);
    }
}
