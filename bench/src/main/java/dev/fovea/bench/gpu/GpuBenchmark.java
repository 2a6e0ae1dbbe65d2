package dev.fovea.bench.gpu;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.encode.TokenBatch;
import dev.fovea.bench.encode.TokenEncoder;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.study.WarmUp;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Token ids to vectors, from host memory to host memory, call after call, each timed. {@link GpuSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class GpuBenchmark {
    /** Of batches that are not large, as many as the suite {@code encode} takes. */
    private static final int BATCHES = 8;

    /** The CPU computes the texts that are checked, which may be fewer than those of a large batch. */
    private static final int MOST_CHECKED = 32;

    /** What computes, of {@link MiniLm}. */
    @Param({MiniLm.FOVEA_CUDA_BF16})
    public String side;

    /** Texts × tokens of each. */
    @Param({"1x16"})
    public String batch;

    private TokenEncoder encoder;
    private int batches;
    private int next;

    /** Loads the side and compares its vectors with those of another. */
    @Setup
    public void load() throws Exception {
        String[] shape = batch.split("x");
        int sequences = Integer.parseInt(shape[0]);
        int length = Integer.parseInt(shape[1]);
        batches = sequences > MOST_CHECKED ? 2 : BATCHES;
        List<TokenBatch> work = TokenBatch.ofProse(batches, sequences, length);
        MiniLm model = MiniLm.load(side, EncodeSuite.threads(EncodeSuite.ALL));
        Verdict.version(model.version());
        Verdict.setting(model.setting());
        encoder = model.encoder(work);
        encoder.encode(0);
        check(work.getFirst(), length);
        if (side.contains(GpuSuite.CUDA)) {
            WarmUp.run(WarmUp.SECONDS, this::encode);
        } else {
            model.warmUp();
        }
    }

    /** Compares the vectors of evenly spaced texts of the batch encoded last, the last among them, as a batch. */
    private void check(TokenBatch encoded, int length) throws Exception {
        int count = Math.min(encoded.sequences(), MOST_CHECKED);
        int[] texts = IntStream.rangeClosed(1, count).map(i -> encoded.sequences() * i / count - 1).toArray();
        float[] all = encoder.vectors();
        float[] vectors = new float[count * MiniLm.DIMENSION];
        for (int i = 0; i < count; i++) {
            System.arraycopy(all, texts[i] * MiniLm.DIMENSION, vectors, i * MiniLm.DIMENSION, MiniLm.DIMENSION);
        }
        TokenBatch sample = TokenBatch.of(Arrays.stream(texts)
                .mapToObj(text -> Arrays.copyOfRange(encoded.ids(), text * length, (text + 1) * length))
                .toList());
        TokenEncoder reference = MiniLm.referenceOf(side).encoder(List.of(sample));
        reference.encode(0);
        MiniLm.check(side, reference.vectors(), vectors);
    }

    /** Encodes the next batch. */
    @Benchmark
    public void encode() {
        next = (next + 1) % batches;
        encoder.encode(next);
    }
}
