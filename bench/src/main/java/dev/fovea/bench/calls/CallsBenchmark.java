package dev.fovea.bench.calls;

import dev.fovea.bench.encode.Artifact;
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
import org.openjdk.jmh.annotations.TearDown;

/** One way to make one call, whose result is checked before it is timed. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class CallsBenchmark {
    private static final int CHECKED_CALLS = 1000;

    /** Of the lists of {@link EmptyCalls}, {@link OpCalls} and {@link SumCalls}. */
    @Param(CallsSuite.FFM)
    public String side;

    /** What is called. */
    @Param(EmptyCalls.WORK)
    public String callee;

    /** Floats that are handed over. */
    @Param("0")
    public int floats;

    private Call call;

    /** Makes it and checks what comes back. */
    @Setup
    public void open() throws Throwable {
        try {
            call = switch (callee) {
                case EmptyCalls.WORK -> EmptyCalls.open(side);
                case OpCalls.WORK -> OpCalls.open(side);
                case SumCalls.WORK -> SumCalls.open(side, floats);
                default -> throw new IllegalArgumentException("unknown callee " + callee);
            };
        } catch (LinkageError e) {
            throw Verdict.absent(side + " does not load: " + e);
        }
        Verdict.version(Artifact.fovea());
        Verdict.setting(call.setting());
        float[] results = new float[CHECKED_CALLS];
        float[] expected = new float[CHECKED_CALLS];
        for (int i = 0; i < CHECKED_CALLS; i++) {
            results[i] = call.call();
            expected[i] = call.expected();
        }
        Verdict.agree(expected, results, 0);
    }

    /** Frees its memory. */
    @TearDown
    public void close() {
        if (call != null) {
            call.close();
        }
    }

    /** Makes the call. */
    @Benchmark
    public float call() throws Throwable {
        return call.call();
    }
}
