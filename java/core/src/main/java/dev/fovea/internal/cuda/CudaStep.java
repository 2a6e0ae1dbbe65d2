package dev.fovea.internal.cuda;

import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.Activation;
import dev.fovea.ops.Rows;
import java.util.ArrayList;
import java.util.List;

/**
 * A step as the GPU runs it: one of a plan or, where {@code up} is not null, a gated product,
 * {@code out = activation(x gateᵀ) ⊙ (x upᵀ)}, with the gate as {@code step}, whose output is that of both.
 */
record CudaStep(Step step, Step.Linear up) {
    /** The steps of a plan, gated products fused. Those of the plan that stay alone are as they were. */
    static List<CudaStep> of(List<Step> steps, List<Operand> outputs) {
        List<CudaStep> fused = new ArrayList<>();
        for (int i = 0; i < steps.size(); i++) {
            CudaStep gated = gated(steps, i, outputs);
            if (gated != null) {
                fused.removeLast();
                fused.removeLast();
            }
            fused.add(gated != null ? gated : new CudaStep(steps.get(i), null));
        }
        return fused;
    }

    /** The gated product that ends at step {@code i}, or null: two products of one input, then their product. */
    private static CudaStep gated(List<Step> steps, int i, List<Operand> outputs) {
        if (i < 2 || !(steps.get(i) instanceof Step.Multiply product) || product.activation() != Activation.NONE
                || !(steps.get(i - 2) instanceof Step.Linear first) || !(steps.get(i - 1) instanceof Step.Linear second)
                || first.residual() != null || second.residual() != null || !first.x().equals(second.x())
                || first.outputs() != second.outputs()) {
            return null;
        }
        boolean straight = first.out().equals(product.a()) && second.out().equals(product.b());
        boolean crossed = first.out().equals(product.b()) && second.out().equals(product.a());
        // What the product yields lies where one of its factors lay, and so not where x lies.
        boolean inPlace = product.out().equals(product.a()) || product.out().equals(product.b());
        if (!straight && !crossed || !inPlace) {
            return null;
        }
        Operand other = product.out().equals(product.a()) ? product.b() : product.a();
        if (other.equals(product.out()) || isReadLater(other, steps, i + 1, outputs)) {
            return null;
        }
        Step.Linear gate = second.activation() == Activation.NONE ? first : second;
        Step.Linear up = gate == first ? second : first;
        if (up.activation() != Activation.NONE) {
            return null;
        }
        return new CudaStep(new Step.Linear(gate.x(), gate.parts(), gate.activation(), null, product.out()), up);
    }

    private static boolean isReadLater(Operand operand, List<Step> steps, int from, List<Operand> outputs) {
        Buffer buffer = Buffer.of(operand);
        for (int i = from; i < steps.size(); i++) {
            Operands operands = new CudaStep(steps.get(i), null).operands();
            if (operands.inputs().stream().anyMatch(input -> Buffer.of(input).equals(buffer))) {
                return true;
            }
            if (operands.out() != null && Buffer.of(operands.out()).equals(buffer)) {
                return false;
            }
        }
        return outputs.stream().anyMatch(output -> Buffer.of(output).equals(buffer));
    }

    /** The memory that a matrix is columns of. */
    record Buffer(Rows rows, long offset, int stride) {
        static Buffer of(Operand operand) {
            return new Buffer(operand.rows(), operand.offset(), operand.stride());
        }
    }

    /** The matrices of a step by the names of {@code fovea_cuda_step}; null where there is none. */
    record Operands(Operand x, Operand y, Operand z, Operand bias, Operand out) {
        List<Operand> inputs() {
            List<Operand> inputs = new ArrayList<>();
            for (Operand input : new Operand[] {x, y, z, bias}) {
                if (input != null) {
                    inputs.add(input);
                }
            }
            return inputs;
        }
    }

    Operands operands() {
        return switch (step) {
            case Step.Embedding s -> new Operands(null, null, null, null, s.out());
            case Step.LayerNorm s -> new Operands(s.x(), null, null, null, s.out());
            case Step.RmsNorm s -> new Operands(s.x(), null, null, null, s.out());
            case Step.Linear s -> new Operands(s.x(), null, s.residual(), null, s.out());
            case Step.Add s -> new Operands(s.a(), s.b(), null, null, s.out());
            case Step.Multiply s -> new Operands(s.a(), s.b(), null, null, s.out());
            case Step.Activate s -> new Operands(s.x(), null, null, null, s.out());
            case Step.Normalize s -> new Operands(s.x(), null, null, null, s.out());
            case Step.MatMul s -> new Operands(s.a(), s.b(), null, null, s.out());
            case Step.Append s -> new Operands(s.k(), s.v(), null, null, null);
            case Step.Attention s -> new Operands(s.q(), s.k(), s.v(), s.bias(), s.out());
            case Step.TokenTypes s -> new Operands(null, null, null, null, s.out());
            case Step.RelativeBias s -> new Operands(s.byQuery(), s.byKey(), null, null, s.out());
            case Step.Pool s -> new Operands(s.x(), null, null, null, s.out());
            case Step.LogSoftmax s -> new Operands(s.x(), null, null, null, s.out());
            case Step.TopK s -> new Operands(s.x(), null, null, null, s.out());
            case Step.Gather s -> new Operands(s.x(), s.indices(), null, null, s.out());
        };
    }

    /** Whether its inputs are multiplied as matrices, which half types are there for. */
    boolean multiplies() {
        return switch (step) {
            case Step.Linear _, Step.MatMul _, Step.Append _, Step.Attention _ -> true;
            case Step.Embedding _, Step.LayerNorm _, Step.RmsNorm _, Step.Add _, Step.Multiply _, Step.Activate _,
                    Step.Normalize _, Step.Pool _, Step.LogSoftmax _, Step.TopK _, Step.Gather _,
                    Step.TokenTypes _, Step.RelativeBias _ -> false;
        };
    }

    /** Whether what it makes is F32, as the bias of an attention is. */
    boolean makesBias() {
        return step instanceof Step.RelativeBias;
    }

    /** Whether it reads logits or parts of scores, whose differences count. */
    boolean readsLogits() {
        return step instanceof Step.LogSoftmax || step instanceof Step.TopK || step instanceof Step.Gather
                || step instanceof Step.RelativeBias;
    }
}
