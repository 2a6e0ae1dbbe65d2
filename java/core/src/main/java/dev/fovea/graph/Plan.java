package dev.fovea.graph;

import dev.fovea.Engine;
import dev.fovea.attention.KvCache;
import dev.fovea.graph.Value.Rows;
import dev.fovea.internal.kernels.KernelEngine;
import dev.fovea.internal.kernels.Kernels;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.tensor.DType;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * A graph made ready to run on one engine: ops fused into few kernel calls, weights packed, every value given
 * its place in one workspace. Immutable and safe to share between threads, each with a {@link Session} of its
 * own.
 *
 * <p>A plan owns what it has packed and copied. Matrices other than linear weights, such as embedding tables,
 * are used where they lie if they are dense and aligned to 4 bytes: their memory, and the engine, must outlive
 * the plan.
 *
 * <p>A plan may be closed while its sessions run: those runs end well, later ones fail, and its memory is freed
 * after the last.
 */
public final class Plan implements AutoCloseable {
    private final Engine engine;
    private final List<CacheSlot> caches;
    private final List<Value> outputs;
    private final List<Stage> stages;
    private final MemoryPlan memory;
    private final Constants constants;
    private final Lifetime lifetime;

    private Plan(Engine engine, Graph graph, List<Stage> stages, DType weights, Arena arena) {
        this.engine = engine;
        this.caches = graph.caches();
        this.outputs = graph.outputs();
        this.stages = stages;
        this.memory = MemoryPlan.of(stages, outputs);
        try (Arena packing = Arena.ofConfined()) {
            this.constants = Constants.prepare(stages, kernels(packing), weights, arena);
        }
        this.lifetime = new Lifetime("plan", arena::close);
    }

    /** Compiles a graph for an engine, its weights kept as {@code F32}; see {@link #compile(Graph, Engine, DType)}. */
    public static Plan compile(Graph graph, Engine engine) {
        return compile(graph, engine, DType.F32);
    }

    /**
     * Compiles a graph for an engine. Takes as long as copying all weights of linear layers once.
     *
     * @param weights what the weights of linear layers are kept as: F32; BF16, rounded; or I8 with a scale per output,
     *     where the rows that are multiplied are rounded to eight bits too
     * @throws IllegalArgumentException if {@code weights} is another type, or I8 and a layer has too many inputs for it
     * @throws IllegalStateException if the engine, or the arena of a constant, is closed
     */
    public static Plan compile(Graph graph, Engine engine, DType weights) {
        Objects.requireNonNull(weights, "weights");
        List<Stage> stages = stages(graph);
        Arena arena = Arena.ofShared();
        try {
            return new Plan(engine, graph, stages, weights, arena);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    /** The passes, in their order. */
    static List<Stage> stages(Graph graph) {
        List<Stage> stages = Lowering.lower(graph);
        stages = EpilogueFusion.fuse(stages, graph.outputs());
        return List.copyOf(SharedInputFusion.fuse(stages, graph.outputs()));
    }

    /**
     * A session for batches of up to this many tokens and sequences. The caller closes it.
     *
     * @throws IllegalArgumentException if a number is less than 1, or the workspace exceeds the address space
     * @throws IllegalStateException if the plan or its engine is closed
     */
    public Session newSession(int maxTokens, int maxSequences) {
        return newSession(maxTokens, maxSequences, List.of(), false);
    }

    /**
     * A session for batches of up to this many tokens that goes on with what caches hold: its sequences are those of
     * the caches. The caller closes it, and the caches later than it.
     *
     * @param caches one for each of {@link Graph#caches()}, made for its spec and this plan's engine, all of as many
     *     sequences
     * @throws IllegalArgumentException if a number is less than 1, the workspace exceeds the address space, or the
     *     caches do not fit the graph
     * @throws IllegalStateException if the plan or its engine is closed
     */
    public Session newSession(int maxTokens, List<KvCache> caches) {
        return newSession(maxTokens, sequences(caches), caches, false);
    }

    /**
     * A session on caches that also keeps patterns; see {@link #newExplainingSession(int, int)} and {@link
     * #newSession(int, List)}.
     */
    public Session newExplainingSession(int maxTokens, List<KvCache> caches) {
        return newSession(maxTokens, sequences(caches), caches, true);
    }

    private static int sequences(List<KvCache> caches) {
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
        return newSession(maxTokens, maxSequences, List.of(), true);
    }

    private Session newSession(int maxTokens, int maxSequences, List<KvCache> caches, boolean explaining) {
        requireFit(caches);
        lifetime.enter();
        try {
            return new Session(this, maxTokens, maxSequences, List.copyOf(caches), explaining);
        } finally {
            lifetime.exit();
        }
    }

    private void requireFit(List<KvCache> given) {
        if (given.size() != caches.size()) {
            throw new IllegalArgumentException("expected " + caches.size() + " caches, got " + given.size());
        }
        for (int i = 0; i < given.size(); i++) {
            if (given.get(i).sequences() != given.getFirst().sequences()) {
                throw new IllegalArgumentException("expected caches of " + given.getFirst().sequences()
                        + " sequences, as cache 0 has, got " + given.get(i).sequences() + " in cache " + i);
            }
            if (!given.get(i).fits(caches.get(i).spec())) {
                throw new IllegalArgumentException("cache " + i + " is not made for " + caches.get(i).spec());
            }
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

    /** Bytes of the weights of linear layers as the kernels read them. */
    public long weightBytes() {
        return constants.packedBytes();
    }

    /** Frees the weights when the last running session is done. Idempotent; never waits. */
    @Override
    public void close() {
        lifetime.close();
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

    Lifetime lifetime() {
        return lifetime;
    }

    /** The first cache that tokens are appended to, whose lengths are their positions; null if there is none. */
    CacheSlot growing() {
        return attentions().values().stream()
                .filter(op -> op.cache() != null && op.k() != null)
                .findFirst()
                .map(Op.Attention::cache)
                .orElse(null);
    }

    Engine engine() {
        return engine;
    }

    Kernels kernels(Arena arena) {
        return KernelEngine.of(engine).kernels(arena);
    }

    List<Value> outputs() {
        return outputs;
    }

    List<Stage> stages() {
        return stages;
    }

    /** The attention ops by what they yield, in the order of the graph. */
    SequencedMap<Value, Op.Attention> attentions() {
        var attentions = new LinkedHashMap<Value, Op.Attention>();
        for (Stage stage : stages) {
            if (stage instanceof Stage.Single(Op.Attention op, Value output)) {
                attentions.put(output, op);
            }
        }
        return attentions;
    }

    MemoryPlan memory() {
        return memory;
    }

    Constants constants() {
        return constants;
    }
}
