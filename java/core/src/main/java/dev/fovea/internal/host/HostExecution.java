package dev.fovea.internal.host;

import dev.fovea.internal.backend.Batch;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** A program's steps bound to one workspace of the host, so that a run only calls kernels. */
final class HostExecution implements Execution {
    private final HostDevice device;
    private final LoweredPlan plan;
    private final Owner owner;
    private final int maxTokens;
    private final int maxSequences;
    private final List<CacheStore> caches;
    private final MemorySegment values;
    private final Tensor[] outputs;
    private final List<Tensor> patterns = new ArrayList<>();
    private final Call[] calls;
    private long bytes;

    HostExecution(HostProgram program, Owner owner, int maxTokens, int maxSequences, List<CacheStore> caches,
            boolean explaining) {
        this.device = program.device();
        this.plan = program.plan();
        this.owner = owner;
        this.maxTokens = maxTokens;
        this.maxSequences = maxSequences;
        this.caches = caches;
        this.values = device.allocate(owner.arena(), Math.addExact(regionBytes(Rows.TOKENS), regionBytes(Rows.SEQUENCES)));
        this.bytes = values.byteSize();
        this.outputs = new Tensor[plan.outputs().size()];
        for (int i = 0; i < outputs.length; i++) {
            outputs[i] = tensor(plan.outputs().get(i));
        }
        Kernels kernels = device.kernels(owner.arena());
        var binding = new HostBinding(this, program.constants(), kernels, scratch(kernels), explaining);
        this.calls = new Call[plan.steps().size()];
        for (int i = 0; i < calls.length; i++) {
            calls[i] = binding.bind(plan.steps().get(i));
        }
    }

    HostDevice device() {
        return device;
    }

    int maxTokens() {
        return maxTokens;
    }

    int maxSequences() {
        return maxSequences;
    }

    CacheStore cache(Step.Cache cache) {
        return caches.get(cache.group());
    }

    /** The cache whose lengths are the positions of the batch's tokens; null if none is appended to. */
    CacheStore positions() {
        return plan.positions(caches);
    }

    /** The memory of a matrix, [capacity, columns], with the row stride of the buffer that it lies in. */
    Tensor tensor(Operand operand) {
        int capacity = operand.rows().count(maxTokens, maxSequences);
        long region = operand.rows() == Rows.TOKENS ? 0 : regionBytes(Rows.TOKENS);
        long start = region + Float.BYTES * (operand.offset() * capacity + operand.firstColumn());
        long end = region + Float.BYTES * (operand.offset() + operand.stride()) * capacity;
        return Tensor.of(values.asSlice(start, end - start), operand.dtype(), Shape.of(capacity, operand.columns()),
                operand.stride(), 1);
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** Memory of the execution's own. */
    MemorySegment allocate(long bytes) {
        this.bytes += bytes;
        return device.allocate(owner.arena(), bytes);
    }

    /** Memory for the pattern of an attention, [heads, queries, keys]. */
    Tensor allocatePattern(Step.Attention step) {
        int keys = step.cache() == null ? maxTokens : cache(step.cache()).capacity();
        Shape shape = Shape.of(step.spec().heads(), maxTokens, keys);
        Tensor pattern = Tensor.allocate(owner.arena(), DType.F32, shape);
        this.bytes += pattern.segment().byteSize();
        patterns.add(pattern);
        return pattern;
    }

    @Override
    public void run(Batch batch) {
        device.enter();
        try {
            device.runBegins();
            try {
                for (Call call : calls) {
                    call.run(batch);
                }
            } finally {
                device.runEnded();
            }
        } finally {
            device.exit();
        }
    }

    @Override
    public Tensor output(int index) {
        return outputs[index];
    }

    @Override
    public List<Tensor> patterns() {
        return List.copyOf(patterns);
    }

    @Override
    public void close() {
        owner.close();
    }

    private long regionBytes(Rows rows) {
        return plan.regionBytes(rows, maxTokens, maxSequences);
    }

    /** I8, enough for the attention that needs most of it. */
    private Tensor scratch(Kernels kernels) {
        long bytes = 1;
        for (Step step : plan.steps()) {
            if (step instanceof Step.Attention attention) {
                AttentionSpec spec = attention.spec();
                bytes = Math.max(bytes, kernels.attentionScratchBytes(spec));
            }
        }
        this.bytes += bytes;
        return Tensor.allocate(owner.arena(), DType.I8, Shape.of(bytes));
    }
}
