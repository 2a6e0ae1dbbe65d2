package dev.fovea.bench.attention;

import dev.fovea.bench.study.Verdict;
import dev.fovea.tensor.DType;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** One side on one {@link AttentionWork}, checked against {@link AttentionReference} before it is timed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AttentionBenchmark {
    /** Of {@link AttentionSides}. */
    @Param(AttentionSides.FUSED)
    public String side;

    /** Tokens. */
    @Param("128")
    public int n;

    /** Head dimension. */
    @Param("64")
    public int d;

    /** Heads. */
    @Param("12")
    public int heads;

    /** {@code full} or {@code causal}. */
    @Param("full")
    public String mask;

    /** {@code 1} or {@code all}. */
    @Param("1")
    public String threads;

    private AttentionSide attention;

    /** Makes the side and checks its result. */
    @Setup
    public void open() {
        AttentionWork work = new AttentionWork(n, d, heads, mask.equals("causal"), threads.equals("all"));
        AttentionInputs inputs = AttentionInputs.random(work.elements());
        DType dtype = GpuAttention.dtype(side);
        inputs.roundTo(dtype);
        try {
            attention = AttentionSides.open(side, work, inputs);
        } catch (UnsupportedOperationException e) {
            throw Verdict.absent(e.getMessage());
        } catch (LinkageError e) {
            throw Verdict.absent(side + " is not on the class path: " + e);
        }
        Verdict.setting(attention.setting());
        Verdict.version(attention.version());
        attention.attend();
        AttentionReference reference = AttentionReference.of(work);
        Verdict.agree(reference.expected(inputs), reference.sampled(attention.result()),
                GpuAttention.tolerance(dtype));
        if (attention.scratchBytes() >= 0) {
            Verdict.measured(AttentionSuite.SCRATCH.key(), attention.scratchBytes());
        }
    }

    /** Frees it. */
    @TearDown
    public void close() {
        if (attention != null) {
            attention.close();
        }
    }

    /** Computes all heads. */
    @Benchmark
    public void attend() {
        attention.attend();
    }
}
