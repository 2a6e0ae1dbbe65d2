package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.internal.cpu.Codes;
import dev.fovea.internal.cuda.ffi.FoveaCudaH;
import dev.fovea.internal.cuda.ffi.fovea_cuda_operand;
import dev.fovea.internal.cuda.ffi.fovea_cuda_step;
import dev.fovea.ops.Activation;
import dev.fovea.ops.AttentionSpec;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/** Writes a plan as the array of {@code fovea_cuda_step} that the library takes. */
final class CudaLowering {
    private final LoweredPlan plan;
    private final CudaPlan device;
    private final CudaConstants constants;

    /** The constants of each step, null where one is missing. */
    private final List<CudaConstants.Slot[]> slots = new ArrayList<>();

    private CudaLowering(LoweredPlan plan, CudaPlan device) {
        this.plan = plan;
        this.device = device;
        this.constants = new CudaConstants(plan.weights().dtype());
        device.steps().forEach(step -> slots.add(constantsOf(step)));
    }

    static CudaLowering of(LoweredPlan plan) {
        return new CudaLowering(plan, CudaPlan.of(plan));
    }

    CudaPlan device() {
        return device;
    }

    CudaConstants constants() {
        return constants;
    }

    private CudaConstants.Slot[] constantsOf(CudaStep step) {
        return switch (step.step()) {
            case Step.Embedding s -> slots(constants.words(s.words()), constants.values(s.positions()),
                    constants.values(s.type()));
            case Step.LayerNorm s -> slots(constants.values(s.gamma()), constants.values(s.beta()));
            case Step.RmsNorm s -> slots(constants.values(s.gamma()));
            case Step.Linear s -> slots(constants.weights(step, s), constants.biases(step, s));
            case Step.Append s -> slots(constants.table(s.spec().rope()));
            case Step.Attention s -> slots(constants.table(s.spec().rope()),
                    s.spec().alibi() == null ? null : constants.values(s.spec().alibi().slopes()));
            case Step.TokenTypes s -> slots(constants.values(s.table()));
            case Step.RelativeBias s -> slots(constants.values(s.table()), constants.integers(s.buckets().ofDistance()));
            case Step.Add _, Step.Multiply _, Step.Activate _, Step.Normalize _, Step.MatMul _, Step.Pool _,
                    Step.LogSoftmax _, Step.TopK _, Step.Gather _ -> slots();
        };
    }

    private static CudaConstants.Slot[] slots(CudaConstants.Slot... slots) {
        return slots;
    }

    /** The steps, once the constants are uploaded. */
    MemorySegment steps(Arena arena) {
        MemorySegment array = fovea_cuda_step.allocateArray(Math.max(1, device.steps().size()), arena);
        for (int i = 0; i < device.steps().size(); i++) {
            MemorySegment struct = fovea_cuda_step.asSlice(array, i);
            fovea_cuda_step.struct_size(struct, (int) fovea_cuda_step.sizeof());
            CudaStep step = device.steps().get(i);
            write(step, struct);
            CudaStep.Operands operands = step.operands();
            CudaTypes.Types types = device.types().of(i);
            write(operands.x(), types.x(), fovea_cuda_step.x(struct));
            write(operands.y(), types.y(), fovea_cuda_step.y(struct));
            write(operands.z(), types.z(), fovea_cuda_step.z(struct));
            write(operands.bias(), types.bias(), fovea_cuda_step.bias(struct));
            write(operands.out(), types.out(), fovea_cuda_step.out(struct));
            for (int c = 0; c < slots.get(i).length; c++) {
                CudaConstants.Slot slot = slots.get(i)[c];
                fovea_cuda_step.constants(struct, c, slot == null ? 0 : slot.address());
            }
        }
        return array;
    }

    /** What the caller reads. */
    MemorySegment outputs(Arena arena) {
        MemorySegment array = fovea_cuda_operand.allocateArray(Math.max(1, device.outputs().size()), arena);
        for (int i = 0; i < device.outputs().size(); i++) {
            write(device.outputs().get(i), device.types().ofOutput(i), fovea_cuda_operand.asSlice(array, i));
        }
        return array;
    }

    private static void write(Operand operand, DType dtype, MemorySegment struct) {
        if (operand == null) {
            fovea_cuda_operand.rows(struct, FoveaCudaH.FOVEA_CUDA_ROWS_NONE());
            return;
        }
        fovea_cuda_operand.rows(struct, operand.rows() == Rows.TOKENS ? FoveaCudaH.FOVEA_CUDA_ROWS_TOKENS()
                : FoveaCudaH.FOVEA_CUDA_ROWS_SEQUENCES());
        fovea_cuda_operand.dtype(struct, dtype == DType.I32 ? FoveaCudaH.FOVEA_CUDA_DTYPE_I32() : Codes.of(dtype));
        fovea_cuda_operand.stride(struct, operand.stride());
        fovea_cuda_operand.first_column(struct, operand.firstColumn());
        fovea_cuda_operand.columns(struct, operand.columns());
        fovea_cuda_operand.offset(struct, operand.offset());
    }

    private void write(CudaStep step, MemorySegment struct) {
        switch (step.step()) {
            case Step.Embedding s -> embedding(s, struct);
            case Step.LayerNorm s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_LAYER_NORM());
                fovea_cuda_step.epsilon(struct, s.epsilon());
            }
            case Step.RmsNorm s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_RMS_NORM());
                fovea_cuda_step.epsilon(struct, s.epsilon());
            }
            case Step.Linear s -> {
                active(struct, FoveaCudaH.FOVEA_CUDA_OP_LINEAR(), s.activation());
                fovea_cuda_step.weight_dtype(struct, Codes.of(plan.weights().dtype()));
                fovea_cuda_step.gated(struct, step.up() == null ? 0 : 1);
            }
            case Step.Add _ -> fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_ADD());
            case Step.Multiply s -> active(struct, FoveaCudaH.FOVEA_CUDA_OP_MULTIPLY(), s.activation());
            case Step.Activate s -> active(struct, FoveaCudaH.FOVEA_CUDA_OP_ACTIVATE(), s.activation());
            case Step.Normalize _ -> fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_NORMALIZE());
            case Step.MatMul s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_RAGGED_MATMUL());
                fovea_cuda_step.mode(struct, s.transposeA() ? 1 : 0);
            }
            case Step.Append s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_CACHE_APPEND());
                heads(s.spec(), struct);
                cache(s.cache(), struct);
            }
            case Step.Attention s -> attention(s, struct);
            case Step.Pool s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_POOL());
                fovea_cuda_step.mode(struct, Codes.of(s.mode()));
                fovea_cuda_step.normalize(struct, s.normalize() ? 1 : 0);
            }
            case Step.TokenTypes s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_TOKEN_TYPES());
                fovea_cuda_step.vocabulary(struct, (int) s.table().size(0));
            }
            case Step.RelativeBias s when s.cache() != null ->
                throw new UnsupportedOperationException("a GPU computes no relative position bias of a cache");
            case Step.RelativeBias s -> {
                fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_RELATIVE_BIAS());
                fovea_cuda_step.heads(struct, s.heads());
                fovea_cuda_step.buckets(struct, s.buckets().buckets());
            }
            case Step.LogSoftmax _ -> fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_LOG_SOFTMAX());
            case Step.TopK _ -> fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_TOP_K());
            case Step.Gather _ -> fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_GATHER());
        }
    }

    private static void active(MemorySegment struct, int op, Activation activation) {
        fovea_cuda_step.op(struct, op);
        fovea_cuda_step.activation(struct, Codes.of(activation));
    }

    private void embedding(Step.Embedding step, MemorySegment struct) {
        Weight positions = step.positions();
        fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_EMBEDDING());
        fovea_cuda_step.weight_dtype(struct, Codes.of(plan.weights().dtype()));
        fovea_cuda_step.scale(struct, step.scale());
        fovea_cuda_step.vocabulary(struct, (int) step.words().size(0));
        fovea_cuda_step.positions(struct, positions == null ? 0 : (int) positions.size(0));
        fovea_cuda_step.first_position(struct, positions == null ? 0 : step.firstPosition());
        fovea_cuda_step.group(struct, plan.positionsGroup(device.groups()));
    }

    private static void attention(Step.Attention step, MemorySegment struct) {
        AttentionSpec spec = step.spec();
        fovea_cuda_step.op(struct, FoveaCudaH.FOVEA_CUDA_OP_ATTENTION());
        heads(spec, struct);
        cache(step.cache(), struct);
        fovea_cuda_step.scale(struct, spec.scale());
        fovea_cuda_step.softcap(struct, spec.softcap());
        fovea_cuda_step.window_left(struct, spec.mask().left());
        fovea_cuda_step.window_right(struct, spec.mask().right());
        fovea_cuda_step.alignment(struct, Codes.of(spec.mask().alignment()));
    }

    private static void heads(AttentionSpec spec, MemorySegment struct) {
        fovea_cuda_step.heads(struct, spec.heads());
        fovea_cuda_step.kv_heads(struct, spec.kvHeads());
        fovea_cuda_step.head_dim(struct, spec.headDim());
        fovea_cuda_step.value_dim(struct, spec.valueDim());
        fovea_cuda_step.rope(struct, Codes.of(spec.rope()));
        fovea_cuda_step.rope_dim(struct, spec.rope() == null ? 0 : spec.rope().dim());
        fovea_cuda_step.rope_positions(struct, spec.rope() == null ? 0 : spec.rope().positions());
    }

    private static void cache(Step.Cache cache, MemorySegment struct) {
        fovea_cuda_step.group(struct, cache == null ? -1 : cache.group());
        fovea_cuda_step.layer(struct, cache == null ? -1 : cache.layer());
    }
}
