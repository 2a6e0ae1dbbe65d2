package dev.fovea.bench.calls;

import dev.fovea.bench.study.Effort;
import dev.fovea.bench.study.Figure;
import dev.fovea.bench.study.JmhJob;
import dev.fovea.bench.study.Job;
import dev.fovea.bench.study.Metric;
import dev.fovea.bench.study.Suite;
import dev.fovea.bench.study.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a call from Java to C costs, and what it costs to pass floats. */
public final class CallsSuite implements Suite {
    static final String JAVA = "Java method";
    static final String FFM = "downcall";
    static final String FFM_CRITICAL = "downcall, critical";
    static final String JNI = "JNI";

    private static final Metric NANOS = new Metric("nanos", "time per call", "ns", true);
    private static final String CALLEE = "callee";
    private static final String FLOATS = "floats";

    @Override
    public String name() {
        return "calls";
    }

    @Override
    public String title() {
        return "Calls from Java to C: the foreign function API, JNI and plain Java";
    }

    @Override
    public String reading() {
        return """
                The same C functions, called in different ways from compiled Java. "empty" takes an int and adds \
                1. The second callee reads a params struct, which is filled before each call, and three pointers, \
                as Fovea's ops do. A critical downcall leaves the thread in the state of Java code. That is \
                cheaper, but no garbage can be collected until the call returns, so Fovea does not use it. The \
                sums pass n floats from a heap array or from off-heap memory. The callee adds them into 16 partial \
                sums and is compiled for any CPU of the platform; its time is part of every figure. Plain Java \
                uses 8 partial sums. Every result is checked before anything is timed. Each figure includes up to \
                one nanosecond of the measuring loop.""";
    }

    @Override
    public List<Job> jobs(Effort effort) {
        JmhJob.Timing timing = switch (effort) {
            case SMOKE -> JmhJob.Timing.of(effort);
            case QUICK -> new JmhJob.Timing(1, 4, 4, 80);
            case FULL -> new JmhJob.Timing(2, 5, 5, 120);
        };
        List<Job> jobs = new ArrayList<>();
        jobs.add(job("empty", EmptyCalls.WORK, 0, EmptyCalls.SIDES, timing));
        jobs.add(job("params", OpCalls.WORK, 0, OpCalls.SIDES, timing));
        int[] sizes = switch (effort) {
            case SMOKE -> new int[] {64};
            case QUICK -> new int[] {64, 65_536};
            case FULL -> new int[] {64, 1024, 65_536};
        };
        for (int floats : sizes) {
            jobs.add(job("floats-" + floats, SumCalls.WORK, floats, SumCalls.SIDES, timing));
        }
        return jobs;
    }

    private static Job job(String name, String callee, int floats, List<String> sides, JmhJob.Timing timing) {
        Map<String, String> work = new LinkedHashMap<>();
        work.put(CALLEE, callee);
        work.put(FLOATS, Integer.toString(floats));
        return new JmhJob(name, CallsBenchmark.class, sides, work, timing)
                .deriving(NANOS.key(), (_, micros) -> micros * 1e3);
    }

    @Override
    public List<Table> tables() {
        return List.of(
                new Table("Calls", NANOS, List.of(CALLEE), Map.of(FLOATS, "0"), EmptyCalls.SIDES, FFM),
                new Table("Passing floats", NANOS, List.of(FLOATS), Map.of(CALLEE, SumCalls.WORK), SumCalls.SIDES,
                        SumCalls.OFF_HEAP));
    }

    @Override
    public List<Figure> figures() {
        return List.of(
                new Figure("Calls", NANOS, Figure.Kind.GROUPS, CALLEE, "callee", false, Map.of(FLOATS, "0"),
                        EmptyCalls.SIDES),
                new Figure("Passing floats", NANOS, Figure.Kind.LINES, FLOATS, "floats", true,
                        Map.of(CALLEE, SumCalls.WORK), SumCalls.SIDES));
    }
}
