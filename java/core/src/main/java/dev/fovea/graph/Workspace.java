package dev.fovea.graph;

import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.KvCache;
import dev.fovea.graph.Value.Rows;
import dev.fovea.internal.kernels.Kernels;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The memory of a session for one capacity, and the plan's stages bound to it. */
final class Workspace implements AutoCloseable {
    private final int maxTokens;
    private final int maxSequences;
    private final MemoryPlan memory;
    private final Arena arena;
    private final MemorySegment values;
    private final Tensor givenIds;
    private final Tensor givenOffsets;
    private final Tensor ids;
    private final Tensor offsets;
    private final Tensor[] outputs;
    private final List<KvCache> caches;
    private final KvCache growing;
    private final Tensor starts;
    private final Map<AttentionSpec, Attention> attentions = new HashMap<>();
    private final Map<Value, Tensor> patterns = new LinkedHashMap<>();
    private final Call[] calls;

    Workspace(Plan plan, Kernels kernels, int maxTokens, int maxSequences, List<KvCache> caches,
            boolean explaining) {
        if (maxTokens < 1 || maxSequences < 1) {
            throw new IllegalArgumentException("a session takes at least 1 token and 1 sequence, got capacity for "
                    + maxTokens + " tokens and " + maxSequences + " sequences");
        }
        if (!caches.isEmpty() && maxSequences != caches.getFirst().sequences()) {
            throw new IllegalArgumentException("expected " + caches.getFirst().sequences()
                    + " sequences, which the caches have, got capacity for " + maxSequences);
        }
        this.maxTokens = maxTokens;
        this.caches = caches;
        this.growing = plan.growing() == null ? null : caches.get(plan.growing().index());
        this.maxSequences = maxSequences;
        this.memory = plan.memory();
        this.arena = Arena.ofShared();
        try {
            this.values = kernels.allocate(arena, regionBytes(Rows.TOKENS) + regionBytes(Rows.SEQUENCES));
            this.givenIds = Tensor.allocate(arena, DType.I32, Shape.of(maxTokens));
            this.givenOffsets = Tensor.allocate(arena, DType.I32, Shape.of(maxSequences + 1L));
            this.ids = Tensor.allocate(arena, DType.I32, Shape.of(maxTokens));
            this.offsets = Tensor.allocate(arena, DType.I32, Shape.of(maxSequences + 1L));
            this.starts = growing == null ? null : Tensor.allocate(arena, DType.I32, Shape.of(maxSequences));
            for (Op.Attention op : plan.attentions().values()) {
                if (op.cache() != null) {
                    attentions.computeIfAbsent(op.spec(), spec -> Attention.create(plan.engine(), spec));
                }
            }
            this.outputs = plan.outputs().stream().map(this::tensor).toArray(Tensor[]::new);
            if (explaining) {
                plan.attentions().forEach((output, op) -> patterns.put(output, allocatePattern(op)));
            }
            var binding = new Binding(this, plan.constants(), attentionScratch(plan, kernels));
            this.calls = plan.stages().stream().map(binding::bind).toArray(Call[]::new);
        } catch (Throwable e) {
            close();
            throw e;
        }
    }

    int maxTokens() {
        return maxTokens;
    }

    int maxSequences() {
        return maxSequences;
    }

    /** Where the caller writes ids. */
    Tensor givenIds() {
        return givenIds;
    }

    /** Where the caller writes sequence starts. */
    Tensor givenOffsets() {
        return givenOffsets;
    }

    /** What a run reads: a copy, since another thread may write to the caller's after they were checked. */
    Tensor ids() {
        return ids;
    }

    /** What a run reads; see {@link #ids()}. */
    Tensor offsets() {
        return offsets;
    }

    /** I32 [maxSequences], how many tokens each sequence had before this run; null where no cache tells. */
    Tensor starts() {
        return starts;
    }

    KvCache cache(CacheSlot slot) {
        return caches.get(slot.index());
    }

    /** Attention on caches. */
    Attention attention(AttentionSpec spec) {
        return attentions.get(spec);
    }

    Tensor output(int index) {
        return outputs[index];
    }

    /** The memory of all patterns, in the order of the graph. */
    List<Tensor> patterns() {
        return List.copyOf(patterns.values());
    }

    /** Where the attention that yields {@code output} writes its pattern, [heads, queries, keys]; null for nowhere. */
    Tensor pattern(Value output) {
        return patterns.get(output);
    }

    /** The memory of a value, [capacity, columns], with the row stride of the buffer that it lies in. */
    Tensor tensor(Value value) {
        return tensor(value, value.columns());
    }

    /** The memory of all values that a product yields, [capacity, columns of the product]. */
    Tensor tensor(Stage.Product product) {
        return tensor(product.output(), product.columns());
    }

    private Tensor tensor(Value value, int columns) {
        int capacity = value.rows().count(maxTokens, maxSequences);
        MemoryPlan.Buffer buffer = memory.buffer(value);
        long region = value.rows() == Rows.TOKENS ? 0 : regionBytes(Rows.TOKENS);
        long start = region + Float.BYTES * (buffer.offset() * capacity + memory.firstColumn(value));
        long end = region + Float.BYTES * (buffer.offset() + buffer.columns()) * capacity;
        return Tensor.of(values.asSlice(start, end - start), DType.F32, Shape.of(capacity, columns),
                buffer.columns(), 1);
    }

    /** Runs all stages on the first sequences of the inputs. */
    void run(Kernels kernels, int sequences) {
        int tokens = take(sequences);
        if (!caches.isEmpty() && sequences != maxSequences) {
            throw new IllegalArgumentException(
                    "expected all " + maxSequences + " sequences of the caches, got " + sequences);
        }
        for (int s = 0; growing != null && s < sequences; s++) {
            starts.segment().setAtIndex(ValueLayout.JAVA_INT, s, growing.length(s));
        }
        for (Call call : calls) {
            call.run(kernels, tokens, sequences);
        }
    }

    @Override
    public void close() {
        attentions.values().forEach(Attention::close);
        arena.close();
    }

    /** Takes over the caller's batch and counts its tokens. */
    private int take(int sequences) {
        if (sequences < 0 || sequences > maxSequences) {
            throw new IllegalArgumentException(
                    "the session has capacity for " + maxSequences + " sequences, got " + sequences);
        }
        MemorySegment.copy(givenOffsets.segment(), 0, offsets.segment(), 0, (sequences + 1L) * Integer.BYTES);
        int tokens = 0;
        for (int i = 0; i <= sequences; i++) {
            int offset = offsets.segment().getAtIndex(ValueLayout.JAVA_INT, i);
            if (i == 0 && offset != 0) {
                throw new IllegalArgumentException("offsets must begin with 0, got " + offset);
            }
            if (offset < tokens) {
                throw new IllegalArgumentException("offsets must not decrease, got offsets[" + (i - 1) + "] = "
                        + tokens + " and offsets[" + i + "] = " + offset);
            }
            tokens = offset;
        }
        if (tokens > maxTokens) {
            throw new IllegalArgumentException(
                    "the session has capacity for " + maxTokens + " tokens, got " + tokens);
        }
        MemorySegment.copy(givenIds.segment(), 0, ids.segment(), 0, (long) tokens * Integer.BYTES);
        return tokens;
    }

    private long regionBytes(Rows rows) {
        try {
            long floats = Math.multiplyExact(memory.floatsPerRow(rows), (long) rows.count(maxTokens, maxSequences));
            return Math.multiplyExact(floats, (long) Float.BYTES);
        } catch (ArithmeticException e) {
            throw new IllegalArgumentException("a workspace for " + maxTokens + " tokens and " + maxSequences
                    + " sequences exceeds the address space", e);
        }
    }

    private Tensor allocatePattern(Op.Attention op) {
        int keys = op.cache() == null ? maxTokens : cache(op.cache()).capacity();
        return Tensor.allocate(arena, DType.F32, Shape.of(op.spec().heads(), maxTokens, keys));
    }

    /** Scratch for the attention that needs most of it. */
    private Tensor attentionScratch(Plan plan, Kernels kernels) {
        long bytes = 1;
        for (Op.Attention op : plan.attentions().values()) {
            bytes = Math.max(bytes, kernels.attentionScratchBytes(op.spec()));
        }
        return Tensor.allocate(arena, DType.I8, Shape.of(bytes));
    }
}
