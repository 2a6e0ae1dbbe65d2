package dev.fovea.bench.linear;

import dev.fovea.bench.study.Verdict;
import java.util.Random;
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

/** One side on one {@link LinearWork}, checked against {@link LinearReference} before it is timed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class LinearBenchmark {
    /** Of {@link LinearSide}. */
    @Param(LinearSide.PACKED)
    public String side;

    /** Outputs. */
    @Param("1536")
    public int n;

    /** Inputs. */
    @Param("384")
    public int k;

    /** Rows. */
    @Param("16")
    public int m;

    /** {@code 1} or {@code all}. */
    @Param("1")
    public String threads;

    private LinearSide linear;

    /** Makes the side and checks its result. */
    @Setup
    public void open() {
        LinearWork work = new LinearWork(m, n, k, threads.equals("all"));
        float[] x = random(1, m * k);
        float[] weight = random(2, n * k);
        try {
            linear = LinearSide.open(side, work, x, weight);
        } catch (LinkageError | UnsupportedOperationException e) {
            throw Verdict.absent(side + " does not load: " + e);
        }
        Verdict.setting(linear.setting());
        Verdict.version(linear.version());
        linear.multiply();
        LinearReference reference = new LinearReference(work);
        LinearSide.check(side, work, reference.expected(x, weight), reference.sampled(linear.result()));
    }

    private static float[] random(int seed, int elements) {
        Random random = new Random(seed);
        float[] values = new float[elements];
        for (int i = 0; i < elements; i++) {
            values[i] = random.nextFloat() * 2 - 1;
        }
        return values;
    }

    /** Frees it. */
    @TearDown
    public void close() {
        if (linear != null) {
            linear.close();
        }
    }

    /** Computes all rows. */
    @Benchmark
    public void multiply() {
        linear.multiply();
    }
}
