package dev.fovea.model.generation;

import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.tensor.Tensor;
import java.util.List;

/** What an encoder makes of some sequences, where no decoder goes on with it. */
public final class Encoding implements AutoCloseable {
    private final int tokens;
    private final List<CacheSet> caches;
    private final Session session;

    /**
     * Encodes sequences, as one ragged batch.
     *
     * @param groups of the encoder's graph: one that it fills for a decoder, or none
     * @param sources at least one, each of at least one token
     * @param explaining whether the patterns are kept
     */
    public Encoding(Plan encoder, List<CacheGroup> groups, Engine engine, List<int[]> sources, boolean explaining) {
        this.tokens = TokenRows.count(sources);
        int longest = sources.stream().mapToInt(ids -> ids.length).max().orElseThrow();
        this.caches = groups.stream().map(group -> group.create(engine, sources.size(), longest)).toList();
        Session opened = null;
        try {
            opened = open(encoder, sources.size(), explaining);
            TokenRows.run(opened, sources);
        } catch (Throwable e) {
            close(opened);
            throw e;
        }
        this.session = opened;
    }

    private Session open(Plan encoder, int sequences, boolean explaining) {
        if (caches.isEmpty()) {
            return explaining ? encoder.newExplainingSession(tokens, sequences) : encoder.newSession(tokens, sequences);
        }
        return explaining ? encoder.newExplainingSession(tokens, caches) : encoder.newSession(tokens, caches);
    }

    /** The encoder's result, [tokens of all sequences][width]. */
    public float[][] result() {
        return TokenRows.read(session.output(), tokens);
    }

    /** The pattern of each layer. */
    public List<Tensor> patterns() {
        return session.patterns();
    }

    @Override
    public void close() {
        close(session);
    }

    private void close(Session opened) {
        if (opened != null) {
            opened.close();
        }
        caches.forEach(CacheSet::close);
    }
}
