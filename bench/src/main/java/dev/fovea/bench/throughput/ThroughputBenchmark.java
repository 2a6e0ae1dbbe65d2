package dev.fovea.bench.throughput;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.encode.Sentences;
import dev.fovea.bench.encode.TokenBatch;
import dev.fovea.bench.encode.TokenEncoder;
import dev.fovea.bench.study.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
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

/** A pile of sentences of mixed length, one call for all. {@link ThroughputSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class ThroughputBenchmark {
    /** How the sentences are put into batches, of {@link ThroughputSuite}. */
    @Param({ThroughputSuite.RAGGED})
    public String side;

    /** How many sentences. */
    @Param({"1000"})
    public int sentences;

    /** Threads that share one call: a number, or all. */
    @Param({"1"})
    public String threads;

    private TokenEncoder encoder;
    private int batches;

    /** Loads the side, makes its batches and compares the vectors of the first and the last with another's. */
    @Setup
    public void load() throws Exception {
        String loader = side.equals(ThroughputSuite.RAGGED) ? MiniLm.FOVEA : MiniLm.ONNX_FP32;
        MiniLm model = MiniLm.load(loader, EncodeSuite.threads(threads));
        Verdict.version(model.version());
        Verdict.setting(model.setting());
        List<TokenBatch> work = batches(Sentences.tokenized(sentences));
        batches = work.size();
        encoder = model.encoder(work);
        TokenEncoder reference = MiniLm.referenceOf(loader).encoder(work);
        for (int batch : new int[] {0, batches - 1}) {
            encoder.encode(batch);
            reference.encode(batch);
            MiniLm.check(loader, reference.vectors(), encoder.vectors());
        }
        model.warmUp();
    }

    private List<TokenBatch> batches(List<int[]> sequences) {
        List<int[]> ordered = new ArrayList<>(sequences);
        if (side.equals(ThroughputSuite.SORTED)) {
            ordered.sort(Comparator.comparingInt(ids -> ids.length));
        }
        int size = side.equals(ThroughputSuite.SINGLE) ? 1 : ThroughputSuite.BATCH;
        List<TokenBatch> work = new ArrayList<>();
        for (int start = 0; start < ordered.size(); start += size) {
            work.add(TokenBatch.of(ordered.subList(start, Math.min(start + size, ordered.size()))));
        }
        return work;
    }

    /** Encodes all sentences. */
    @Benchmark
    public void encode() {
        for (int batch = 0; batch < batches; batch++) {
            encoder.encode(batch);
        }
    }
}
