package dev.fovea.bench.run;

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

/** Adds up 1 … n, which every side does alike; one of them says that it is absent. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class HonestBenchmark {
    @Param("")
    public String side;

    @Param("0")
    public int n;

    @Setup
    public void check() {
        if (side.equals("missing")) {
            throw Verdict.absent("it is missing");
        }
        Verdict.version("1.0");
        Verdict.agree(new float[] {n * (n + 1) / 2f}, new float[] {sum()}, 1e-3);
    }

    @Benchmark
    public float sum() {
        float sum = 0;
        for (int i = 1; i <= n; i++) {
            sum += i;
        }
        return sum;
    }
}
