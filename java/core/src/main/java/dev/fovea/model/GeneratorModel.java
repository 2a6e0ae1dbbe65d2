package dev.fovea.model;

import dev.fovea.Backend;
import dev.fovea.Engine;
import dev.fovea.graph.CacheGroup;
import dev.fovea.graph.CacheSet;
import dev.fovea.graph.Graph;
import dev.fovea.graph.Plan;
import dev.fovea.graph.Session;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.model.family.DecoderConfig;
import dev.fovea.model.family.Description;
import dev.fovea.model.family.Head;
import dev.fovea.model.family.ModelGraph;
import dev.fovea.model.family.ModelWeights;
import dev.fovea.model.generation.CacheFile;
import dev.fovea.model.generation.DraftSource;
import dev.fovea.model.generation.Fingerprint;
import dev.fovea.model.generation.Sampler;
import dev.fovea.model.generation.Scheduler;
import dev.fovea.model.generation.SchedulerOptions;
import dev.fovea.model.generation.TokenWriter;
import dev.fovea.weights.Weights;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/**
 * A decoder alone: its plan, what it remembers, and who goes when. The memory that requests need is taken when the first one
 * comes.
 */
final class GeneratorModel implements AnswerModel {
    private final GeneratorOptions options;
    private final SchedulerOptions scheduling;
    private final Engine engine;
    private final Weights weights;
    private final WeightType weightType;
    private final Description description;
    private final CacheGroup caches;
    private final Plan plan;
    /** What guesses; null for none. */
    private final GeneratorModel draft;
    private volatile Scheduler scheduler;
    /** Null until it is asked for. */
    private volatile byte[] fingerprint;

    /** Compiles a model; {@code owner} closes what this opens. */
    GeneratorModel(GeneratorSource source, Weights weights, GeneratorOptions options, SchedulerOptions scheduling,
            StartingEngine starting, Owner owner) throws IOException {
        this.options = options;
        this.scheduling = scheduling;
        this.weights = weights;
        DecoderConfig config = source.config();
        description = config.decoder(context(config, options.context()));
        ModelWeights parts = config.weights(description, weights);
        Graph graph = ModelGraph.generator(description, parts);
        caches = graph.caches().getFirst();
        engine = starting.get();
        weightType = weightType(parts);
        plan = owner.own(Plan.compile(graph, engine, weightType.storage()));
        draft = options.speculation() == null ? null : draft(options.speculation(), owner);
        owner.own(this::closeScheduler);
    }

    private static int context(DecoderConfig config, int wanted) throws IOException {
        int trained = config.positions();
        int most = config.longest();
        if (wanted > most) {
            throw new IllegalArgumentException("expected a context of at most the " + most + " tokens that the model of "
                    + config.json().file() + " reads, got " + wanted);
        }
        return wanted > 0 ? wanted : Math.min(trained, GeneratorOptions.DEFAULT_CONTEXT);
    }

    private WeightType weightType(ModelWeights parts) {
        return weightType(parts, options, engine);
    }

    /** Which type weights are kept as. */
    static WeightType weightType(ModelWeights parts, GeneratorOptions options, Engine engine) {
        return options.weights() != null ? options.weights()
                : engine.backend() != Backend.CUDA ? WeightType.STORED : parts.areBf16() ? WeightType.BF16 : WeightType.F32;
    }

    /** Null where the text itself tells what to guess. */
    private GeneratorModel draft(Speculation speculation, Owner owner) throws IOException {
        if (!plan.takesSpans()) {
            throw new IllegalArgumentException("expected no speculation on the backend " + engine.backend() + ", got "
                    + speculation);
        }
        if (speculation.model() == null) {
            return null;
        }
        GeneratorSource source = GeneratorSource.of(speculation.model());
        Weights file = owner.own(source.openWeights());
        GeneratorOptions own = options.withEngine(engine).withSpeculation(null)
                .withContext(Math.min(context(), source.config().longest()));
        var model = new GeneratorModel(source, file, own, scheduling, new StartingEngine(owner, engine, own.engineOptions()), owner);
        if (model.vocabulary() != vocabulary()) {
            throw new IllegalArgumentException("expected a model that guesses of the vocabulary " + vocabulary() + ", got "
                    + model.vocabulary() + " of " + speculation.model());
        }
        return model;
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public MemoryUse memory() {
        MemoryUse own = MemoryUse.of(plan, weights);
        return draft == null ? own : own.and(draft.memory());
    }

    @Override
    public void tell(WatchedLoad load) {
        load.done(engine, plan, weights);
    }

    @Override
    public int context() {
        return description.maxTokens();
    }

    @Override
    public int vocabulary() {
        return description.vocabulary();
    }

    @Override
    public int room(int promptTokens) {
        return context() - promptTokens + 1;
    }

    @Override
    public <R> R write(Function<TokenWriter, R> work) {
        return work.apply(scheduler());
    }

    /** The one that is there, unless an error has broken it. */
    Scheduler scheduler() {
        Scheduler current = scheduler;
        return current != null && !current.isBroken() ? current : newScheduler();
    }

    private synchronized Scheduler newScheduler() {
        if (scheduler != null && !scheduler.isBroken()) {
            return scheduler;
        }
        closeScheduler();
        long tokens = options.cacheTokens() > 0 ? options.cacheTokens() : 2L * context();
        CacheSet cache = CacheSet.create(engine, caches.specs(), options.concurrency() + 1, context(), options.cache(), tokens);
        try {
            float softcap = ((Head.NextToken) description.head()).softcap();
            scheduler = Scheduler.create(plan, cache, scheduling, () -> new Sampler(vocabulary(), softcap), drafts());
            return scheduler;
        } catch (Throwable e) {
            cache.close();
            throw e;
        }
    }

    private DraftSource drafts() {
        if (draft == null) {
            return scheduling.drafts() == 0 ? new DraftSource.None() : new DraftSource.Repetition();
        }
        return new DraftSource.Model(draft.plan,
                CacheSet.create(engine, draft.caches.specs(), options.concurrency(), draft.context(), options.cache()));
    }

    private synchronized void closeScheduler() {
        if (scheduler != null) {
            scheduler.close();
        }
    }

    /** See {@link TextGenerator#explain(int[])}. */
    AttentionPattern explain(int[] ids, List<String> tokens) {
        try (CacheSet cache = CacheSet.create(engine, caches.specs(), 1, ids.length, options.cache());
                Session session = plan.newExplainingSession(ids.length, List.of(cache))) {
            session.run(1, MemorySegment.ofArray(ids), MemorySegment.ofArray(new int[] {0, ids.length}));
            return AttentionPattern.copyOf(tokens, tokens, session.patterns());
        }
    }

    /** Computes what is not in memory. */
    @FunctionalInterface
    interface Reader {
        /** Reads tokens, so that they are. */
        void read(int[] tokens);
    }

    /** See {@link GeneratorSession#save}. */
    void save(int[] tokens, Path file, Reader reader) throws IOException {
        if (tokens.length == 0) {
            throw new IllegalStateException("the session has no tokens to save");
        }
        Scheduler current = scheduler();
        int[] held = Arrays.copyOf(tokens, Math.min(tokens.length, context()));
        CacheFile.write(file, fileModel(current), tokens, (page, target) -> {
            for (int tries = 0; !current.readPage(held, held.length, page, target); tries++) {
                if (tries == 8) {
                    throw new IllegalStateException("other answers leave no room to compute " + held.length
                            + " tokens for a file");
                }
                reader.read(held);
                if (Thread.currentThread().isInterrupted()) {
                    throw new InterruptedIOException("interrupted before all " + held.length + " tokens were computed for " + file);
                }
            }
        });
    }

    /** The tokens of a file; see {@link TextGenerator#restore}. */
    int[] restore(Path file) throws IOException {
        Scheduler current = scheduler();
        return CacheFile.read(file, fileModel(current), (tokens, page, source) ->
                current.addPage(tokens, Math.min(tokens.length, context()), page, source));
    }

    private CacheFile.Model fileModel(Scheduler current) {
        byte[] known = fingerprint;
        if (known == null) {
            known = Fingerprint.of(description, caches.specs(), weights, weightType + " " + options.cache());
            fingerprint = known;
        }
        return new CacheFile.Model(known, current.pageBytes(), context(), vocabulary());
    }
}
