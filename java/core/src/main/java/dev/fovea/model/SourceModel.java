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
import dev.fovea.model.generation.SourceWriter;
import dev.fovea.model.generation.TokenWriter;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * An encoder that reads prompts, and a decoder that writes answers, which do not begin with the prompt. Each answer has
 * keys and values of its own, and is written by its caller.
 */
final class SourceModel implements AnswerModel {
    private final GeneratorOptions options;
    private final Engine engine;
    private final Weights file;
    private final Description decoder;
    private final int start;
    private final Plan encoding;
    private final Plan writing;
    /** Of the answer's own tokens, then of the source's. */
    private final List<CacheGroup> caches;
    private final SessionPool<SourceWriter> writers;

    /**
     * Compiles a model; {@code owner} closes what this opens.
     *
     * @throws IllegalArgumentException if the options have speculation, which is for decoders alone
     */
    SourceModel(EncoderDecoderConfig config, Weights file, GeneratorOptions options, StartingEngine starting, Owner owner)
            throws IOException {
        if (options.speculation() != null) {
            throw new IllegalArgumentException("expected no speculation for a model with an encoder, got "
                    + options.speculation());
        }
        this.options = options;
        this.file = file;
        this.start = config.start();
        engine = starting.get();
        int context = options.context() > 0 ? options.context() : Math.min(config.positions(), GeneratorOptions.DEFAULT_CONTEXT);
        Description encoder = config.encoder(context);
        decoder = config.decoder(context);
        ModelWeights weights = config.encoderWeights(encoder, file);
        ModelWeights decoderWeights = config.decoderWeights(decoder, file);
        WeightType type = GeneratorModel.weightType(weights, options, engine);
        encoding = owner.own(Plan.compile(ModelGraph.encoder(encoder, weights, decoder, decoderWeights), engine, type.storage()));
        Graph graph = ModelGraph.generator(decoder, decoderWeights);
        caches = graph.caches();
        writing = owner.own(Plan.compile(graph, engine, type.storage()));
        writers = owner.own(new SessionPool<>(this::newWriter, SourceWriter::close));
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public MemoryUse memory() {
        return MemoryUse.of(encoding, file).with(writing);
    }

    @Override
    public void tell(WatchedLoad load) {
        load.done(engine, memory());
    }

    @Override
    public int context() {
        return decoder.maxTokens();
    }

    @Override
    public int vocabulary() {
        return decoder.vocabulary();
    }

    @Override
    public int room(int promptTokens) {
        return context();
    }

    @Override
    public <R> R write(Function<TokenWriter, R> work) {
        return writers.get(work::apply);
    }

    private SourceWriter newWriter() {
        List<AutoCloseable> opened = new ArrayList<>();
        try {
            CacheSet own = opened(opened, CacheSet.create(engine, caches.get(0).specs(), 1, context(), options.cache()));
            CacheSet memory = opened(opened, CacheSet.create(engine, caches.get(1).specs(), 1, context(), options.cache()));
            Session writer = opened(opened, writing.newSession(1, List.of(own, memory)));
            Session reader = opened(opened, encoding.newSession(1, List.of(memory)));
            return new SourceWriter(reader, memory, writer, own, new Sampler(vocabulary(), 0), start);
        } catch (Throwable e) {
            for (AutoCloseable each : opened.reversed()) {
                try {
                    each.close();
                } catch (Exception suppressed) {
                    e.addSuppressed(suppressed);
                }
            }
            throw e;
        }
    }

    private static <T extends AutoCloseable> T opened(List<AutoCloseable> opened, T resource) {
        opened.add(resource);
        return resource;
    }
}
