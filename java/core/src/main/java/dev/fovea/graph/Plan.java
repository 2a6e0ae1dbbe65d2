package dev.fovea.graph;

import dev.fovea.Engine;
import dev.fovea.internal.backend.BatchLimits;
import dev.fovea.internal.backend.Device;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.WeightStorage;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;

/**
 * A graph made ready to run on one engine: ops fused into few steps, every value given its place in one workspace, and
 * the whole compiled by the engine's device, which packs the weights. Immutable and safe to share between threads, each
 * with a {@link Session} of its own.
 *
 * <p>A plan owns what it has packed and copied. Word embeddings may be used where they lie, such as in a mapped file:
 * their memory, and the engine, must outlive the plan.
 *
 * <p>A plan may be closed while its sessions run: those runs end well, later ones fail, and its memory is freed
 * after the last.
 */
public final class Plan implements AutoCloseable {
    private final Engine engine;
    private final List<CacheGroup> caches;
    private final List<Stage> stages;
    private final MemoryPlan memory;
    private final LoweredPlan lowered;
    private final Program program;
    private final SessionMemory memoryUse = new SessionMemory();
    private final Owner owner;

    private Plan(Engine engine, Graph graph, WeightStorage weights, Owner owner) {
        this.engine = engine;
        this.owner = owner;
        this.caches = graph.caches();
        this.stages = stages(graph, weights);
        this.memory = MemoryPlan.of(stages, graph.outputs());
        var emission = new StepEmission(memory);
        List<Step> steps = emission.steps(stages);
        this.lowered = new LoweredPlan(steps, weights, emission.operands(graph.outputs()),
                memory.floatsPerRow(Rows.TOKENS), memory.floatsPerRow(Rows.SEQUENCES), BatchLimits.of(steps, graph.maxTokens()));
        this.program = owner.own(Device.of(engine).compile(lowered));
    }

    /** Compiles a graph for an engine, its weights kept as {@code F32}; see {@link #compile(Graph, Engine, DType)}. */
    public static Plan compile(Graph graph, Engine engine) {
        return compile(graph, engine, DType.F32);
    }

    /**
     * Compiles a graph for an engine. Takes as long as reading all weights of linear layers once.
     *
     * @param weights what the weights of linear layers are kept as: F32; F16 or BF16, rounded; or I8 with a scale per
     *     output, where the rows that are multiplied are rounded to eight bits too, but not on a GPU
     * @throws IllegalArgumentException if {@code weights} is another type than the engine takes, or I8 and a layer has
     *     too many inputs for it
     * @throws IllegalStateException if the engine, or the arena of a constant, is closed
     */
    public static Plan compile(Graph graph, Engine engine, DType weights) {
        return compile(graph, engine, WeightStorage.of(Objects.requireNonNull(weights, "weights")));
    }

    /**
     * Compiles a graph for an engine; see {@link #compile(Graph, Engine, DType)}.
     *
     * @param weights what the weights of linear layers are kept as; {@link WeightStorage#AS_STORED} not on a GPU
     * @throws IllegalArgumentException if the engine does not keep weights so, or a layer has too many inputs for it
     * @throws IllegalStateException if the engine, or the arena of a constant, is closed
     */
    public static Plan compile(Graph graph, Engine engine, WeightStorage weights) {
        Objects.requireNonNull(weights, "weights");
        return Owner.create("plan", owner -> new Plan(engine, graph, weights, owner));
    }

    /** The passes, for weights of F32. */
    static List<Stage> stages(Graph graph) {
        return stages(graph, WeightStorage.of(DType.F32));
    }

    /** The passes, in their order. */
    static List<Stage> stages(Graph graph, WeightStorage weights) {
        List<Stage> stages = Lowering.lower(graph);
        stages = EpilogueFusion.fuse(stages, graph.outputs());
        return List.copyOf(SharedInputFusion.fuse(stages, graph.outputs(), weights));
    }

    /**
     * A session for batches of up to this many tokens and sequences. The caller closes it.
     *
     * @throws IllegalArgumentException if a number is less than 1, or the workspace exceeds the address space
     * @throws IllegalStateException if the plan or its engine is closed
     */
    public Session newSession(int maxTokens, int maxSequences) {
        return newSession(maxTokens, maxSequences, 0, List.of(), false);
    }

    /**
     * A session for batches of up to this many tokens that goes on with what caches hold: its sequences are those of
     * the caches. The caller closes it, and the caches later than it.
     *
     * @param caches one for each of {@link Graph#caches()}, made for its layers and this plan's engine, all of as many
     *     sequences, none given twice
     * @throws IllegalArgumentException if a number is less than 1, the workspace exceeds the address space, or the
     *     caches do not fit the graph
     * @throws IllegalStateException if the plan or its engine is closed
     */
    public Session newSession(int maxTokens, List<CacheSet> caches) {
        return newSession(maxTokens, sequences(caches), 0, caches, false);
    }

    /** Whether its sessions may have spans: see {@link Session#runSpans}. Not on a GPU. */
    public boolean takesSpans() {
        return program.takesSpans();
    }

    /**
     * A session on caches that also takes spans; see {@link #newSession(int, List)} and {@link Session#runSpans}.
     *
     * @throws UnsupportedOperationException if the plan {@linkplain #takesSpans takes none}
     */
    public Session newSession(int maxTokens, int maxSpans, List<CacheSet> caches) {
        if (!takesSpans()) {
            throw new UnsupportedOperationException("this plan runs no spans of tokens on the backend " + engine.backend());
        }
        if (maxSpans < 1) {
            throw new IllegalArgumentException("a session takes at least 1 span, got capacity for " + maxSpans);
        }
        return newSession(maxTokens, sequences(caches), maxSpans, caches, false);
    }

    /**
     * A session on caches that also keeps patterns; see {@link #newExplainingSession(int, int)} and {@link
     * #newSession(int, List)}.
     */
    public Session newExplainingSession(int maxTokens, List<CacheSet> caches) {
        return newSession(maxTokens, sequences(caches), 0, caches, true);
    }

    private static int sequences(List<CacheSet> caches) {
        if (caches.isEmpty()) {
            throw new IllegalArgumentException("expected at least 1 cache, got 0");
        }
        return caches.getFirst().sequences();
    }

    /**
     * A session that also keeps the pattern of every attention, see {@link Session#patterns()}. It runs the steps and
     * reads the weights that every session does; its patterns take O(maxTokens²) memory beside the workspace.
     *
     * @throws IllegalArgumentException if a number is less than 1, or the workspace exceeds the address space
     * @throws IllegalStateException if the plan or its engine is closed
     */
    public Session newExplainingSession(int maxTokens, int maxSequences) {
        return newSession(maxTokens, maxSequences, 0, List.of(), true);
    }

    private Session newSession(int maxTokens, int maxSequences, int maxSpans, List<CacheSet> sets, boolean explaining) {
        requireFit(sets);
        owner.enter();
        try {
            return Session.create(this, maxTokens, maxSequences, maxSpans, List.copyOf(sets), explaining);
        } finally {
            owner.exit();
        }
    }

    private void requireFit(List<CacheSet> sets) {
        if (sets.size() != caches.size()) {
            throw new IllegalArgumentException("expected " + caches.size() + " caches, got " + sets.size());
        }
        for (int i = 0; i < sets.size(); i++) {
            CacheSet set = sets.get(i);
            set.requireOpen();
            if (set.sequences() != sets.getFirst().sequences()) {
                throw new IllegalArgumentException("expected caches of " + sets.getFirst().sequences()
                        + " sequences, as cache 0 has, got " + set.sequences() + " in cache " + i);
            }
            if (sets.indexOf(set) != i) {
                throw new IllegalArgumentException("expected a cache of its own for each group, got one set as cache "
                        + sets.indexOf(set) + " and " + i);
            }
            if (set.store().device() != engine) {
                throw new IllegalArgumentException("cache " + i + " is made for another engine");
            }
            CacheFit.require(i, caches.get(i).specs(), set.layers());
        }
    }

    /** Bytes of workspace that a session needs per token of its capacity. */
    public long workspaceBytesPerToken() {
        return memory.floatsPerRow(Rows.TOKENS) * Float.BYTES;
    }

    /** Bytes of workspace that a session needs per sequence of its capacity. */
    public long workspaceBytesPerSequence() {
        return memory.floatsPerRow(Rows.SEQUENCES) * Float.BYTES;
    }

    /** Bytes of the workspaces of all sessions that are open now. */
    public long sessionBytes() {
        return memoryUse.workspace();
    }

    /** Bytes of the caches that the sessions go on with which are open now. */
    public long cacheBytes() {
        return memoryUse.caches();
    }

    /**
     * Bytes of all constants as the device keeps them: the weights of linear layers, and what else was copied. Embeddings
     * that are read where they lie, such as in a mapped file, are not among them.
     */
    public long bytes() {
        return program.bytes();
    }

    /** Bytes of the weights of linear layers as the device keeps them. */
    public long weightBytes() {
        return program.weightBytes();
    }

    /** Frees the weights when the last running session is done. Idempotent; never waits. */
    @Override
    public void close() {
        owner.close();
    }

    /** The steps, one per line with what was fused into it and where its output lies, and the memory's sizes. */
    @Override
    public String toString() {
        return stages.stream().map(this::line).collect(Collectors.joining("\n", "", "\n"))
                + "weights: " + weightBytes() + " bytes\n"
                + "workspace: " + workspaceBytesPerToken() + " bytes per token, " + workspaceBytesPerSequence()
                + " per sequence";
    }

    private String line(Stage stage) {
        return stage.outputs().stream().map(Value::toString).collect(Collectors.joining(" "))
                + " = " + stage.describe()
                + stage.inputs().stream().map(x -> " \"" + x.name() + '"').distinct().collect(Collectors.joining())
                + " @" + memory.buffer(stage.output()).offset();
    }

    SessionMemory memoryUse() {
        return memoryUse;
    }

    Owner owner() {
        return owner;
    }

    LoweredPlan lowered() {
        return lowered;
    }

    Program program() {
        return program;
    }
}
