package dev.fovea.bench.adapters;

import dev.fovea.bench.encode.EncodeSuite;
import dev.fovea.bench.encode.MiniLm;
import dev.fovea.bench.study.Verdict;
import dev.fovea.bench.study.WarmUp;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
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

/** Lists of texts to vectors through {@code EmbeddingModel.embedAll}. {@link AdaptersSuite} runs it. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class AdaptersBenchmark {
    /** Who embeds, of {@link EmbeddingSide}. */
    @Param({EmbeddingSide.FOVEA})
    public String side;

    /** How many texts: 1 of 12 words, or more of mixed lengths. */
    @Param({"1"})
    public int texts;

    /** Threads that share one call: a number, or all. */
    @Param({"1"})
    public String threads;

    private EmbeddingModel model;
    private List<TextSegment> segments;
    private int next;

    /** Loads the side and compares vectors of it with those of the other in fp32. */
    @Setup
    public void load() throws Exception {
        segments = EmbeddingSide.texts(texts).stream().map(TextSegment::from).toList();
        model = EmbeddingSide.load(side, EncodeSuite.threads(threads));
        EmbeddingSide.describe(side, EncodeSuite.threads(threads));
        List<TextSegment> some = segments.subList(0, Math.min(16, segments.size()));
        List<Embedding> expected = EmbeddingSide.load(EmbeddingSide.reference(side), 1).embedAll(some).content();
        List<Embedding> actual = model.embedAll(some).content();
        for (int i = 0; i < some.size(); i++) {
            Verdict.agreeByCosine(expected.get(i).vector(), actual.get(i).vector(), MiniLm.DIMENSION,
                    EmbeddingSide.leastCosine(side));
        }
        WarmUp.run(WarmUp.SECONDS, () -> model.embed(segments.getFirst()));
    }

    /** Embeds the next text, or all. */
    @Benchmark
    public Object embed() {
        if (texts == 1) {
            next = (next + 1) % segments.size();
            return model.embed(segments.get(next));
        }
        return model.embedAll(segments);
    }
}
