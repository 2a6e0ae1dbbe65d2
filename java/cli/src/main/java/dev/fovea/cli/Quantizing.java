package dev.fovea.cli;

import dev.fovea.model.EmbeddingQuantizer;
import dev.fovea.model.TextEmbedding;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Hands embeddings on as bytes. Those that need the ranges of all vectors wait for the last one. */
final class Quantizing {
    private final EmbeddingSink sink;
    private final EmbeddingQuantizer.Precision precision;
    private final EmbeddingQuantizer bits;
    private final List<String> texts = new ArrayList<>();
    private final List<TextEmbedding> waiting = new ArrayList<>();

    /** Hands on to {@code sink}; as they are if {@code precision} is null. */
    Quantizing(EmbeddingSink sink, EmbeddingQuantizer.Precision precision) {
        this.sink = sink;
        this.precision = precision;
        this.bits = precision == null || precision.needsRanges() ? null : EmbeddingQuantizer.of(precision);
    }

    void write(String text, TextEmbedding embedding) throws IOException {
        if (precision == null) {
            sink.write(text, embedding, null);
        } else if (bits != null) {
            sink.write(text, embedding, bits.quantize(embedding.vector()));
        } else {
            texts.add(text);
            waiting.add(embedding);
        }
    }

    /** Hands on what waits. */
    void finish() throws IOException {
        if (waiting.isEmpty()) {
            return;
        }
        var quantizer = EmbeddingQuantizer.of(precision, waiting.stream().map(TextEmbedding::vector).toList());
        for (int i = 0; i < waiting.size(); i++) {
            sink.write(texts.get(i), waiting.get(i), quantizer.quantize(waiting.get(i).vector()));
        }
        sink.flush();
    }
}
