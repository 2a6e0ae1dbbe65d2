package dev.fovea.model.generation;

import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A decoder at work on sequences that grow: a session, the keys and values of the sequences themselves and, where there
 * is an encoder, those of the sources, which are computed once. See {@link ModelGraph#decoder}.
 */
public final class Decoding implements NextTokens, AutoCloseable {
    private static final int RESULT = 0;
    private static final int LOGITS = 1;
    private static final int LIKELIEST = 2;
    private static final int LOG_PROBABILITIES = 3;

    private final List<CacheSet> caches = new ArrayList<>();
    private final int sequences;
    private final Session session;

    /**
     * Empty sequences.
     *
     * @param decoder made of {@link ModelGraph#decoder} with a next-token head
     * @param groups of its graph: the sequences' own, then the sources' if there is an encoder
     * @param sourceCapacity tokens of the longest source
     * @param capacity tokens that each sequence holds at most
     * @param maxTokens tokens of all sequences that are appended at once
     * @param explaining whether the session keeps patterns
     */
    public Decoding(Plan decoder, List<CacheGroup> groups, Engine engine, int sequences, int sourceCapacity,
            int capacity, int maxTokens, boolean explaining) {
        this.sequences = sequences;
        try {
            for (CacheGroup group : groups) {
                caches.add(group.create(engine, sequences, caches.isEmpty() ? capacity : sourceCapacity));
            }
            session = explaining
                    ? decoder.newExplainingSession(maxTokens, caches) : decoder.newSession(maxTokens, caches);
        } catch (Throwable e) {
            caches.forEach(CacheSet::close);
            throw e;
        }
    }

    /**
     * Reads a source for each sequence; one without tokens leaves its sequence without a source.
     *
     * @param encoder made of {@link ModelGraph#encoder} for this decoder
     */
    public void read(Plan encoder, List<int[]> sources) {
        try (Session encoding = encoder.newSession(TokenRows.count(sources), List.of(caches.get(1)))) {
            TokenRows.run(encoding, sources);
        }
    }

    /** Lets a sequence attend to the source of another. */
    public void shareSource(int from, int to) {
        if (caches.size() > 1) {
            caches.get(1).fork(from, to);
        }
    }

    @Override
    public void append(List<int[]> tokens) {
        session.ensureCapacity(TokenRows.count(tokens), sequences);
        TokenRows.run(session, tokens);
    }

    @Override
    public int candidates() {
        return (int) session.output(LIKELIEST).size(1);
    }

    @Override
    public int token(int sequence, int rank) {
        Tensor likeliest = session.output(LIKELIEST);
        return likeliest.segment().getAtIndex(ValueLayout.JAVA_INT, sequence * likeliest.stride(0) + rank);
    }

    @Override
    public double logProbability(int sequence, int rank) {
        return session.output(LOG_PROBABILITIES).getFloat(sequence, rank);
    }

    @Override
    public void fork(int from, int to) {
        caches.getFirst().fork(from, to);
    }

    /** The logits of the token that follows a sequence, [vocabulary]. */
    public float[] logits(int sequence) {
        Tensor all = session.output(LOGITS);
        float[] logits = new float[(int) all.size(1)];
        MemorySegment.copy(all.segment(), ValueLayout.JAVA_FLOAT, sequence * all.stride(0) * Float.BYTES, logits, 0,
                logits.length);
        return logits;
    }

    /** The decoder's result for the tokens appended last, [tokens][width]. */
    public float[][] result(int tokens) {
        return TokenRows.read(session.output(RESULT), tokens);
    }

    /** The patterns of the tokens appended last: of each layer that of self-attention, then that of cross-attention. */
    public List<Tensor> patterns() {
        return session.patterns();
    }

    @Override
    public void close() {
        session.close();
        caches.forEach(CacheSet::close);
    }
}
