package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.LoweredPlan;
import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Rows;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/**
 * A lowered plan as the GPU runs it: products fused, every matrix given its type, and an output that can not be F32
 * where it lies widened into a buffer of its own at the end.
 *
 * @param tokenElements slots per token, those for widened outputs included; likewise per sequence
 */
record CudaPlan(List<CudaStep> steps, List<Operand> outputs, CudaTypes types, long tokenElements,
        long sequenceElements) {
    /** Slots that buffers begin at multiples of, as those of the plan do. */
    private static final int ALIGNMENT = 16;

    static CudaPlan of(LoweredPlan plan) {
        List<CudaStep> steps = new ArrayList<>(CudaStep.of(plan.steps(), plan.outputs()));
        List<Operand> outputs = new ArrayList<>(plan.outputs());
        var types = CudaTypes.of(steps, outputs, plan.weights().dtype());
        long tokens = plan.tokenElements();
        long sequences = plan.sequenceElements();
        boolean widened = false;
        for (int i = 0; i < outputs.size(); i++) {
            Operand output = outputs.get(i);
            if (types.mixed(i)) {
                boolean perToken = output.rows() == Rows.TOKENS;
                int columns = output.columns();
                var wide = new Operand(output.rows(), perToken ? tokens : sequences, columns, 0, columns, DType.F32);
                long room = Math.ceilDiv(columns, ALIGNMENT) * (long) ALIGNMENT;
                tokens += perToken ? room : 0;
                sequences += perToken ? 0 : room;
                steps.add(new CudaStep(new Step.Activate(output, Activation.NONE, wide), null));
                outputs.set(i, wide);
                widened = true;
            }
        }
        return new CudaPlan(List.copyOf(steps), List.copyOf(outputs),
                widened ? CudaTypes.of(steps, outputs, plan.weights().dtype()) : types, tokens, sequences);
    }

    /** Groups of caches that its steps refer to. */
    int groups() {
        int groups = 0;
        for (CudaStep step : steps) {
            Step.Cache cache = switch (step.step()) {
                case Step.Append append -> append.cache();
                case Step.Attention attention -> attention.cache();
                default -> null;
            };
            groups = cache == null ? groups : Math.max(groups, cache.group() + 1);
        }
        return groups;
    }
}
