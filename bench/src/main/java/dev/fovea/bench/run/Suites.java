package dev.fovea.bench.run;

import dev.fovea.bench.adapters.AdaptersSuite;
import dev.fovea.bench.attention.AttentionSuite;
import dev.fovea.bench.calls.CallsSuite;
import dev.fovea.bench.decode.DecodeSuite;
import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.gpu.GpuSuite;
import dev.fovea.bench.linear.LinearSuite;
import dev.fovea.bench.load.LoadSuite;
import dev.fovea.bench.rerank.RerankSuite;
import dev.fovea.bench.start.StartSuite;
import dev.fovea.bench.text.TextSuite;
import dev.fovea.bench.throughput.ThroughputSuite;
import dev.fovea.bench.study.Suite;
import java.util.List;

/** All suites, in the order in which they run and stand in the report. */
final class Suites {
    private Suites() {}

    static List<Suite> all() {
        return List.of(
                new AttentionSuite(),
                new LinearSuite(),
                new CallsSuite(),
                new EncodeSuite(),
                new GpuSuite(),
                new TextSuite(),
                new AdaptersSuite(),
                new ThroughputSuite(),
                new RerankSuite(),
                new DecodeSuite(),
                new LoadSuite(),
                new StartSuite());
    }
}
