package dev.fovea.bench.rerank;

import dev.fovea.EngineOptions;
import dev.fovea.model.EncoderOptions;
import dev.fovea.model.Reranker;
import java.io.IOException;
import java.util.List;

/** Fovea as an application calls it: texts in, scores out. */
final class FoveaRerank implements RerankSide {
    private final Reranker reranker;
    private final List<String> passages;
    private final int threads;

    FoveaRerank(Work work, int threads) throws IOException {
        this.passages = work.passages();
        this.threads = threads;
        EngineOptions engine = EngineOptions.defaults().withThreads(threads);
        reranker = Reranker.load(work.directory(), EncoderOptions.defaults().withEngineOptions(engine));
    }

    @Override
    public float[] score() {
        return reranker.score(Passages.QUERY, passages);
    }

    @Override
    public String setting() {
        return "Reranker.score of texts, reused, threads " + threads;
    }
}
