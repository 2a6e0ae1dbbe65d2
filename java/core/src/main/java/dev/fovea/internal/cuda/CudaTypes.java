package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What the values of a plan are kept as: indices as I32, outputs of the plan, logits and biases of attention as F32, all
 * others as the plan's weights are.
 *
 * <p>Values that follow each other in one buffer, each written in place of the one before, have one type. So an output
 * that was written in place of a value that products read stays a half type: {@link #mixed}.
 */
final class CudaTypes {
    /** Values that share a buffer and a type. */
    private static final class Chain {
        private boolean indices;
        private boolean multiplied;
        private boolean logits;
        private boolean bias;
        private boolean output;

        DType dtype(DType weights) {
            return indices ? DType.I32 : bias || !multiplied && (logits || output) ? DType.F32 : weights;
        }
    }

    /** The types of a step's matrices; null where there is none. */
    record Types(DType x, DType y, DType z, DType bias, DType out) {}

    private final DType weights;
    private final List<Chain[]> steps = new ArrayList<>();
    private final List<Chain> outputs = new ArrayList<>();

    private CudaTypes(DType weights) {
        this.weights = weights;
    }

    static CudaTypes of(List<CudaStep> steps, List<Operand> outputs, DType weights) {
        var types = new CudaTypes(weights);
        Map<CudaStep.Buffer, Chain> now = new HashMap<>();
        for (CudaStep step : steps) {
            types.add(step, now);
        }
        for (Operand output : outputs) {
            Chain chain = now.get(CudaStep.Buffer.of(output));
            chain.output = true;
            types.outputs.add(chain);
        }
        return types;
    }

    private void add(CudaStep step, Map<CudaStep.Buffer, Chain> now) {
        CudaStep.Operands operands = step.operands();
        Chain[] chains = {chain(operands.x(), now), chain(operands.y(), now), chain(operands.z(), now),
            chain(operands.bias(), now), null};
        for (int i = 0; i < 3; i++) {
            if (chains[i] != null) {
                boolean residual = i == 2 && step.step() instanceof Step.Linear;
                chains[i].multiplied |= step.multiplies() && !residual;
                chains[i].logits |= step.readsLogits();
            }
        }
        if (chains[3] != null) {
            chains[3].bias = true;
        }
        if (operands.out() != null) {
            CudaStep.Buffer buffer = CudaStep.Buffer.of(operands.out());
            boolean inPlace = operands.inputs().stream().anyMatch(in -> CudaStep.Buffer.of(in).equals(buffer));
            // Steps that write further columns of a buffer go on with its value.
            boolean further = operands.out().firstColumn() > 0 && now.containsKey(buffer);
            Chain chain = inPlace || further ? now.get(buffer) : new Chain();
            chain.indices |= operands.out().dtype() == DType.I32;
            chain.bias |= step.makesBias();
            now.put(buffer, chain);
            chains[4] = chain;
        }
        steps.add(chains);
    }

    private static Chain chain(Operand operand, Map<CudaStep.Buffer, Chain> now) {
        return operand == null ? null : now.get(CudaStep.Buffer.of(operand));
    }

    /** The types of the matrices of the step of this index. */
    Types of(int step) {
        Chain[] chains = steps.get(step);
        return new Types(dtype(chains[0]), dtype(chains[1]), dtype(chains[2]), dtype(chains[3]), dtype(chains[4]));
    }

    private DType dtype(Chain chain) {
        return chain == null ? null : chain.dtype(weights);
    }

    /** Whether the output of this index is not F32, and not indices, where it lies. */
    boolean mixed(int output) {
        DType dtype = dtype(outputs.get(output));
        return dtype != DType.F32 && dtype != DType.I32;
    }

    /** What the output of this index is: F32 or I32, unless it is {@link #mixed}. */
    DType ofOutput(int output) {
        return dtype(outputs.get(output));
    }
}
