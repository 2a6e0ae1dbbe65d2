package dev.fovea.bench.rerank;

import ai.onnxruntime.OrtEnvironment;
import dev.fovea.bench.encode.Artifact;
import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.study.Verdict;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** The scores of all passages of a query, in one call. {@link RerankSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class RerankBenchmark {
    private static final int CHECKED = 8;

    /** What scores, of {@link RerankSide}. */
    @Param({RerankSide.FOVEA})
    public String side;

    /** The model's shape, of {@link CrossEncoder}. */
    @Param({CrossEncoder.MINI_LM})
    public String model;

    /** How many passages. */
    @Param({"100"})
    public int passages;

    /** Their tokens, of {@link Passages}. */
    @Param({Passages.RAGGED})
    public String tokens;

    /** Threads that share one call: a number, or all. */
    @Param({"1"})
    public String threads;

    private RerankSide scorer;

    /** Loads the side and compares scores with those of another. */
    @Setup
    public void load() throws Exception {
        RerankSide.Work work = RerankSide.Work.of(model, Passages.lengths(passages, tokens));
        scorer = RerankSide.load(side, work, EncodeSuite.threads(threads));
        Verdict.version(side.equals(RerankSide.FOVEA) ? Artifact.fovea() : OrtEnvironment.getEnvironment().getVersion());
        Verdict.setting(scorer.setting());
        RerankSide.Work some = work.first(CHECKED);
        float[] result = RerankSide.load(side, some, 1).score();
        float[] reference = RerankSide.load(side.equals(RerankSide.FOVEA) ? RerankSide.SINGLE : RerankSide.FOVEA, some, 1)
                .score();
        Verdict.agree(reference, result, 1e-5);
        scorer.score();
    }

    /** Scores all passages. */
    @Benchmark
    public float[] score() {
        return scorer.score();
    }
}
