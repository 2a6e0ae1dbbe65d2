package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.CacheStore;
import dev.fovea.internal.backend.Execution;
import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Program;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.cuda.ffi.fovea_cuda_program_options;
import dev.fovea.internal.lifetime.Lifetime;
import dev.fovea.internal.lifetime.Owner;
import dev.fovea.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** A plan on a GPU, with its constants there. Its executions hold it open: it is freed when the last is. */
final class CudaProgram implements Program {
    private final CudaEngine engine;
    private final LoweredPlan plan;
    private final CudaPlan device;
    private final long weightBytes;
    private final long bytes;
    private final MemorySegment handle;
    private final Lifetime lifetime;

    private CudaProgram(CudaEngine engine, LoweredPlan plan, Owner owner) {
        this.engine = engine;
        this.plan = plan;
        CudaLowering lowering = CudaLowering.of(plan);
        this.device = lowering.device();
        this.weightBytes = lowering.constants().weightBytes();
        CudaMemory constants = owner.own(lowering.constants().upload(engine.context()));
        this.bytes = constants.bytes();
        this.handle = create(lowering);
        owner.own(() -> FoveaCudaH.fovea_cuda_program_destroy(handle));
        this.lifetime = new Lifetime("program", owner::close);
    }

    static CudaProgram compile(CudaEngine engine, LoweredPlan plan) {
        DType weights = plan.weights().dtype();
        if (weights != DType.F32 && weights != DType.F16 && weights != DType.BF16) {
            throw new IllegalArgumentException("weights on the backend CUDA are stored as F32, F16 or BF16, got "
                    + plan.weights() + ": take BF16");
        }
        return Owner.create("program", owner -> new CudaProgram(engine, plan, owner));
    }

    private MemorySegment create(CudaLowering lowering) {
        try (Arena call = Arena.ofConfined()) {
            MemorySegment options = fovea_cuda_program_options.allocate(call);
            fovea_cuda_program_options.struct_size(options, (int) fovea_cuda_program_options.sizeof());
            fovea_cuda_program_options.steps(options, device.steps().size());
            fovea_cuda_program_options.outputs(options, device.outputs().size());
            fovea_cuda_program_options.groups(options, device.groups());
            fovea_cuda_program_options.token_elements(options, device.tokenElements());
            fovea_cuda_program_options.sequence_elements(options, device.sequenceElements());
            var failure = new CudaFailure(call);
            MemorySegment out = call.allocate(ValueLayout.ADDRESS);
            failure.check("plan", FoveaCudaH.fovea_cuda_program_create(engine.context().handle(), options,
                    lowering.steps(call), lowering.outputs(call), failure.struct(), out));
            return out.get(ValueLayout.ADDRESS, 0);
        }
    }

    @Override
    public Execution newExecution(int maxTokens, int maxSequences, List<CacheStore> caches, boolean explaining) {
        engine.enter();
        try {
            return Owner.create("execution", owner ->
                    new CudaExecution(this, owner, maxTokens, maxSequences, caches, explaining));
        } finally {
            engine.exit();
        }
    }

    CudaEngine engine() {
        return engine;
    }

    LoweredPlan plan() {
        return plan;
    }

    CudaPlan device() {
        return device;
    }

    /** The library's program. Only for those who hold it open. */
    MemorySegment handle() {
        return handle;
    }

    /** Holds it open until {@link #exit}. */
    void enter() {
        lifetime.enter();
    }

    void exit() {
        lifetime.exit();
    }

    @Override
    public long weightBytes() {
        return weightBytes;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        lifetime.close();
    }
}
