package dev.fovea.graph;

import dev.fovea.attention.KvCache;
import dev.fovea.internal.kernels.Kernels;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.List;

/**
 * Runs a plan on batches of sequences, in a workspace of its own. For one thread at a time.
 *
 * <p>The caller writes the token ids of all sequences, one after the other, into {@link #ids()} and where each
 * begins into {@link #offsets()}, with the number of tokens at the end, then calls {@link #run} and reads
 * {@link #output()}:
 *
 * <pre>
 *   ids      101 7592 102 101 2204 2851 102
 *   offsets    0            3              7     2 sequences
 * </pre>
 *
 * <p>A run makes no object on the Java heap. It works in the engine's threads and in the caller's.
 */
public final class Session implements AutoCloseable {
    private final Plan plan;
    private final Arena arena;
    private final Kernels kernels;
    private final Lifetime lifetime;
    private final List<KvCache> caches;
    private final boolean explaining;
    private Workspace workspace;

    Session(Plan plan, int maxTokens, int maxSequences, List<KvCache> caches, boolean explaining) {
        this.plan = plan;
        this.caches = caches;
        this.explaining = explaining;
        this.arena = Arena.ofShared();
        this.lifetime = new Lifetime("session", this::free);
        try {
            this.kernels = plan.kernels(arena);
            this.workspace = new Workspace(plan, kernels, maxTokens, maxSequences, caches, explaining);
        } catch (Throwable e) {
            arena.close();
            throw e;
        }
    }

    /** The most tokens that a run takes. */
    public int maxTokens() {
        return workspace.maxTokens();
    }

    /** The most sequences that a run takes. */
    public int maxSequences() {
        return workspace.maxSequences();
    }

    /**
     * Where the caller writes token ids: I32 [maxTokens]. Valid until the session is closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor ids() {
        lifetime.requireOpen();
        return workspace.givenIds();
    }

    /**
     * Where the caller writes sequence starts: I32 [maxSequences + 1]. Valid until the session is closed or
     * grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor offsets() {
        lifetime.requireOpen();
        return workspace.givenOffsets();
    }

    /**
     * Computes the outputs for the batch in {@link #ids()} and {@link #offsets()}.
     *
     * <p>On caches, the tokens of sequence s follow those that the caches hold of it, and are appended to them. All
     * sequences of the caches take part; those that have no tokens in this batch stay as they are.
     *
     * @param sequences the number of sequences, 0 to maxSequences; on caches, as many as they have
     * @throws IllegalArgumentException if there are more sequences or tokens than the session's capacity, the
     *     offsets do not begin with 0 or decrease, an id is outside the vocabulary, or a sequence is longer
     *     than the model's positions or than its caches have room for; the outputs are undefined then, the session
     *     stays usable
     * @throws IllegalStateException if the session, its plan or its engine is closed, or another thread uses
     *     the session
     */
    public void run(int sequences) {
        lifetime.enterAlone();
        try {
            plan.lifetime().enter();
            try {
                workspace.run(kernels, sequences);
            } finally {
                plan.lifetime().exit();
            }
        } finally {
            lifetime.exit();
        }
    }

    /**
     * The graph's first output, F32 [capacity, columns] with dense rows: after a run its first rows hold the
     * result, one row per token or sequence. Valid until the session is closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public Tensor output() {
        return output(0);
    }

    /**
     * The graph's output of this index; see {@link #output()}.
     *
     * @throws IndexOutOfBoundsException if there is no such output
     * @throws IllegalStateException if the session is closed
     */
    public Tensor output(int index) {
        lifetime.requireOpen();
        return workspace.output(index);
    }

    /**
     * What every attention of the graph attended to in the last run, in the order of the graph: F32 [heads, maxTokens,
     * keys], a row per query token, with as many keys as maxTokens or, on a cache, as its capacity. A row begins with
     * the keys of its sequence, which sum to 1, those that a mask hides being 0; what lies behind them is undefined.
     * Empty unless the session is {@link Plan#newExplainingSession(int, int) explaining}. Valid until the session is
     * closed or grows.
     *
     * @throws IllegalStateException if the session is closed
     */
    public List<Tensor> patterns() {
        lifetime.requireOpen();
        return workspace.patterns();
    }

    /**
     * Grows to at least these numbers of tokens and sequences; never shrinks. Growing moves everything:
     * tensors taken from the session before are dead, inputs and outputs are undefined.
     *
     * @throws IllegalArgumentException if the workspace would exceed the address space
     * @throws IllegalStateException if the session or its plan is closed, or another thread uses the session
     */
    public void ensureCapacity(int tokens, int sequences) {
        lifetime.enterAlone();
        try {
            if (tokens > maxTokens() || sequences > maxSequences()) {
                grow(Math.max(tokens, maxTokens()), Math.max(sequences, maxSequences()));
            }
        } finally {
            lifetime.exit();
        }
    }

    private void grow(int tokens, int sequences) {
        plan.lifetime().enter();
        try {
            var larger = new Workspace(plan, kernels, tokens, sequences, caches, explaining);
            workspace.close();
            workspace = larger;
        } finally {
            plan.lifetime().exit();
        }
    }

    /** Frees the workspace, at once or when the run in progress is done. Idempotent; never waits. */
    @Override
    public void close() {
        lifetime.close();
    }

    private void free() {
        workspace.close();
        arena.close();
    }
}
