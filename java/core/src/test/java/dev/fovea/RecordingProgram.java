package dev.fovea;

import dev.fovea.internal.backend.Batch;
import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Layout;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** A plan on {@link RecordingEngine}: its weights are copies, as on any device with memory of its own. */
final class RecordingProgram implements Program {
    private final RecordingEngine engine;
    private final Program inner;
    private final int outputs;
    private final Owner owner;

    private RecordingProgram(RecordingEngine engine, Program inner, int outputs, Owner owner) {
        this.engine = engine;
        this.inner = inner;
        this.outputs = outputs;
        this.owner = owner;
    }

    static RecordingProgram compile(RecordingEngine engine, LoweredPlan plan) {
        return Owner.create("program", owner -> {
            var upload = new Upload(owner.arena());
            List<Step> steps = plan.steps().stream().map(upload::step).toList();
            var uploaded = new LoweredPlan(steps, plan.weights(), plan.outputs(), plan.tokenElements(),
                    plan.sequenceElements(), plan.limits());
            Program inner = owner.own(engine.inner().compile(uploaded));
            return new RecordingProgram(engine, inner, plan.outputs().size(), owner);
        });
    }

    @Override
    public Execution newExecution(int maxTokens, int maxSequences, List<CacheStore> caches, boolean explaining) {
        Execution execution = inner.newExecution(maxTokens, maxSequences, caches, explaining);
        return Owner.create("execution", run -> new Run(run, run.own(execution), caches));
    }

    @Override
    public long bytes() {
        return inner.bytes();
    }

    @Override
    public long weightBytes() {
        return inner.weightBytes();
    }

    @Override
    public void close() {
        owner.close();
    }

    /** Whose outputs are in memory of the host, downloaded at the end of each run. */
    private final class Run implements Execution {
        private final Owner owner;
        private final Execution execution;
        private final List<CacheStore> caches;
        private final Tensor[] downloaded = new Tensor[outputs];
        private final List<Tensor> patterns;

        Run(Owner owner, Execution execution, List<CacheStore> caches) {
            this.owner = owner;
            this.execution = execution;
            this.caches = caches;
            for (int i = 0; i < outputs; i++) {
                Tensor output = execution.output(i);
                downloaded[i] = Tensor.allocate(owner.arena(), output.dtype(), output.shape());
            }
            patterns = execution.patterns().stream()
                    .map(pattern -> Tensor.allocate(owner.arena(), pattern.dtype(), pattern.shape())).toList();
        }

        @Override
        public void run(Batch batch) {
            engine.run(caches, () -> {
                execution.run(batch);
                for (int i = 0; i < outputs; i++) {
                    download(execution.output(i), downloaded[i]);
                }
                for (int i = 0; i < patterns.size(); i++) {
                    download(execution.patterns().get(i), patterns.get(i));
                }
            });
        }

        private static void download(Tensor from, Tensor to) {
            MemorySegment.copy(from.segment(), 0, to.segment(), 0, to.segment().byteSize());
        }

        @Override
        public long bytes() {
            return execution.bytes();
        }

        @Override
        public Tensor output(int index) {
            return downloaded[index];
        }

        @Override
        public List<Tensor> patterns() {
            return patterns;
        }

        @Override
        public void close() {
            owner.close();
        }
    }

    /** Copies of weights, one for each. */
    private record Upload(Arena arena, Map<Weight, Weight> copies) {
        Upload(Arena arena) {
            this(arena, new IdentityHashMap<>());
        }

        Step step(Step step) {
            return switch (step) {
                case Step.Embedding s -> new Step.Embedding(copy(s.words()), s.scale(), copy(s.positions()),
                        s.firstPosition(), copy(s.type()), s.out());
                case Step.TokenTypes s -> new Step.TokenTypes(copy(s.table()), s.out());
                case Step.RelativeBias s -> new Step.RelativeBias(s.heads(), copy(s.table()), s.byQuery(), s.byKey(),
                        s.buckets(), s.out());
                case Step.LayerNorm s ->
                    new Step.LayerNorm(s.x(), copy(s.gamma()), copy(s.beta()), s.epsilon(), s.out());
                case Step.RmsNorm s -> new Step.RmsNorm(s.x(), copy(s.gamma()), s.epsilon(), s.out());
                case Step.Linear s -> new Step.Linear(s.x(), s.parts().stream()
                        .map(part -> new Step.Part(copy(part.weight()), copy(part.bias()))).toList(),
                        s.activation(), s.residual(), s.out());
                default -> step;
            };
        }

        private Weight copy(Weight weight) {
            return weight == null ? null : copies.computeIfAbsent(weight, this::upload);
        }

        private Weight upload(Weight weight) {
            MemorySegment memory = arena.allocate(weight.segment().byteSize() + 64, 64)
                    .asSlice(weight.segment().address() % 64, weight.segment().byteSize());
            MemorySegment.copy(weight.segment(), 0, memory, 0, memory.byteSize());
            if (!weight.layout().isPlain()) {
                return Weight.ofBlocks(memory, weight.layout(), weight.shape());
            }
            long[] strides = new long[weight.rank()];
            for (int i = 0; i < strides.length; i++) {
                strides[i] = weight.stride(i);
            }
            Tensor tensor = Tensor.of(memory, DType.valueOf(weight.layout().name()), weight.shape(), strides);
            boolean integers = weight.layout() == Layout.I8 || weight.layout() == Layout.U8;
            return !integers ? Weight.of(tensor)
                    : Weight.quantized(tensor, weight.scales().segment().toArray(ValueLayout.JAVA_FLOAT),
                            weight.zeroPoints().segment().toArray(ValueLayout.JAVA_INT), weight.scaleDimension());
        }
    }
}
