package dev.fovea.bench.text;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.encode.MiniLm;
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

/** Texts to vectors, call after call, each timed. {@link TextSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class TextBenchmark {
    private static final int TEXTS = 8;

    /** Who encodes, of {@link TextSide}. */
    @Param({TextSide.FOVEA})
    public String side;

    /** Words of a text, about. */
    @Param({"12"})
    public int words;

    /** Threads that share one call: a number, or all. */
    @Param({"1"})
    public String threads;

    private List<String> texts;
    private TextSide encoder;
    private int next;

    /** Loads the side and compares its results with those of another. */
    @Setup
    public void load() throws Exception {
        texts = Texts.of(words, TEXTS);
        encoder = TextSide.load(side, EncodeSuite.threads(threads));
        TextSide reference = TextSide.referenceOf(side);
        for (String text : texts) {
            if (side.equals(TextSide.TOKENIZER)) {
                Verdict.agree(reference.encode(text), encoder.encode(text), 0);
            } else {
                Verdict.agreeByCosine(reference.encode(text), encoder.encode(text), MiniLm.DIMENSION, 0.9999);
            }
        }
        WarmUp.run(WarmUp.SECONDS, this::encode);
    }

    /** Encodes the next text. */
    @Benchmark
    public float[] encode() {
        next = (next + 1) % TEXTS;
        return encoder.encode(texts.get(next));
    }
}
