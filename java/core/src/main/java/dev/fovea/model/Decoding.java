package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.attention.KvCache;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A decoder at work on sequences that grow: a session and its caches, of each layer one of the sequences' own keys and
 * values and, where there is an encoder, one of the source's, which are computed once.
 */
final class Decoding implements NextTokens, AutoCloseable {
    private final TransformerConfig config;
    private final int sequences;
    private final List<KvCache> caches = new ArrayList<>();
    private final Session session;

    /**
     * Empty sequences.
     *
     * @param sourceCapacity tokens of the longest source; 0 without an encoder
     * @param capacity tokens that each sequence holds at most
     * @param maxTokens tokens of all sequences that are appended at once
     * @param explaining whether the session keeps patterns
     */
    Decoding(TransformerConfig config, TransformerGraph graph, Plan plan, Engine engine, int sequences,
            int sourceCapacity, int capacity, int maxTokens, boolean explaining) {
        this.config = config;
        this.sequences = sequences;
        try {
            for (int i = 0; i < config.layers(); i++) {
                caches.add(KvCache.create(engine, graph.maskedSpec(), sequences, capacity));
                if (config.architecture().hasEncoder()) {
                    caches.add(KvCache.create(engine, graph.crossSpec(), sequences, sourceCapacity));
                }
            }
            session = explaining ? plan.newExplainingSession(maxTokens, caches) : plan.newSession(maxTokens, caches);
        } catch (Throwable e) {
            caches.forEach(KvCache::close);
            throw e;
        }
    }

    /** Keeps what an encoder's session made of a source for each sequence; see {@link TransformerGraph#encoder}. */
    void attendTo(Session encoded, int tokens) {
        for (int i = 0; i < config.layers(); i++) {
            Tensor keys = heads(encoded.output(1 + 2 * i), tokens);
            Tensor values = heads(encoded.output(2 + 2 * i), tokens);
            caches.get(2 * i + 1).append(keys, values, encoded.offsets());
        }
    }

    /** Lets a sequence attend to the source of another. */
    void shareSource(int from, int to) {
        for (int i = 1; config.architecture().hasEncoder() && i < caches.size(); i += 2) {
            caches.get(i).fork(from, to);
        }
    }

    @Override
    public void append(List<int[]> tokens) {
        TokenRows.write(session, tokens);
        session.run(sequences);
    }

    @Override
    public float[] logits(int sequence) {
        float[] logits = new float[config.vocabulary()];
        Tensor all = session.output(1);
        MemorySegment.copy(all.segment(), ValueLayout.JAVA_FLOAT, sequence * all.stride(0) * Float.BYTES, logits, 0,
                logits.length);
        return logits;
    }

    @Override
    public void fork(int from, int to) {
        int step = config.architecture().hasEncoder() ? 2 : 1;
        for (int i = 0; i < caches.size(); i += step) {
            caches.get(i).fork(from, to);
        }
    }

    /** The decoder's result for the tokens appended last, [tokens, d_model]. */
    float[][] result(int tokens) {
        return TokenRows.read(session.output(0), tokens);
    }

    /** The patterns of the tokens appended last: of each layer that of self-attention, then that of cross-attention. */
    List<Tensor> patterns() {
        return session.patterns();
    }

    @Override
    public void close() {
        session.close();
        caches.forEach(KvCache::close);
    }

    /** [capacity, heads · dim] as [tokens, heads, dim]. */
    private Tensor heads(Tensor matrix, int tokens) {
        int dim = config.headDim();
        Shape shape = Shape.of(tokens, config.kvHeads(), dim);
        return Tensor.of(matrix.segment(), DType.F32, shape, matrix.stride(0), dim, 1);
    }
}
