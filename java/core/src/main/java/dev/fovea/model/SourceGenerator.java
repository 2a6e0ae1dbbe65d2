package dev.fovea.model;

import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.EncoderDecoderConfig;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.generation.Sampler;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.Function;

/** What reads a source by an encoder, once, and writes an answer by a decoder, token by token. */
final class SourceGenerator {
    private final Description decoder;
    private final GeneratorOptions options;
    private final Engine engine;
    private final int start;
    private final Plan encoding;
    private final Plan writing;
    /** Of the answer's own tokens, then of the source's. */
    private final List<CacheGroup> caches;
    private final SessionPool<SourceSession> sessions;

    /**
     * Compiles both; the owner closes them.
     *
     * @param context tokens of the longest source, and of the longest answer
     * @param types which type weights are kept as
     */
    SourceGenerator(EncoderDecoderConfig config, Weights file, int context, GeneratorOptions options, Engine engine,
            Function<ModelWeights, WeightType> types, Owner owner) throws IOException {
        this.options = options;
        this.engine = engine;
        this.start = config.start();
        Description encoder = config.encoder(context);
        this.decoder = config.decoder(context);
        ModelWeights weights = config.encoderWeights(encoder, file);
        ModelWeights decoderWeights = config.decoderWeights(decoder, file);
        WeightType type = types.apply(weights);
        encoding = owner.own(Plan.compile(ModelGraph.encoder(encoder, weights, decoder, decoderWeights), engine, type.storage()));
        Graph graph = ModelGraph.generator(decoder, decoderWeights);
        caches = graph.caches();
        writing = owner.own(Plan.compile(graph, engine, type.storage()));
        sessions = owner.own(new SessionPool<>(this::newSession, SourceSession::close));
    }

    Description decoder() {
        return decoder;
    }

    GeneratedText generate(int[] source, GeneratorSession.Work work) {
        return sessions.get(session -> session.generate(source, start, work));
    }

    private SourceSession newSession() {
        CacheSet own = CacheSet.create(engine, caches.get(0).specs(), 1, decoder.maxTokens(), options.cache());
        CacheSet memory = null;
        Session writer = null;
        try {
            memory = CacheSet.create(engine, caches.get(1).specs(), 1, decoder.maxTokens(), options.cache());
            writer = writing.newSession(1, List.of(own, memory));
            return new SourceSession(encoding.newSession(1, List.of(memory)), memory,
                    new GeneratorSession(writer, own, new Sampler(decoder.vocabulary(), 0)));
        } catch (Throwable e) {
            if (writer != null) {
                writer.close();
            }
            if (memory != null) {
                memory.close();
            }
            own.close();
            throw e;
        }
    }

    /** One answer at a time: the keys and values of its source, and what writes. */
    private record SourceSession(Session encoder, CacheSet memory, GeneratorSession writer) implements AutoCloseable {
        private static final int GRANULE = 64;

        GeneratedText generate(int[] source, int start, GeneratorSession.Work work) {
            memory.reset();
            encoder.ensureCapacity(Math.min(memory.capacity(), Math.ceilDiv(source.length, GRANULE) * GRANULE), 1);
            encoder.run(1, MemorySegment.ofArray(source), MemorySegment.ofArray(new int[] {0, source.length}));
            GeneratedText answer = writer.generate(new int[] {start}, work);
            return new GeneratedText(answer.text(), answer.tokens(), answer.logProbabilities(), source.length, answer.finish());
        }

        @Override
        public void close() {
            encoder.close();
            writer.close();
            memory.close();
        }
    }
}
