package dev.fovea.graph;

import dev.fovea.attention.Attention;
import dev.fovea.attention.AttentionSpec;
import dev.fovea.attention.AttentionTensors;
import dev.fovea.attention.KvCache;
import dev.fovea.graph.Value.Rows;
import dev.fovea.internal.kernels.Elementwise;
import dev.fovea.tensor.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/**
 * Turns stages into calls: finds their tensors in one workspace, once, so that a run only calls kernels.
 *
 * @param attentionScratch I8, enough for every attention stage
 */
record Binding(Workspace workspace, Constants constants, Tensor attentionScratch) {
    /** The call that computes {@code stage}. */
    Call bind(Stage stage) {
        return switch (stage) {
            case Stage.Product product -> product(product);
            case Stage.Pooled pooled -> pooled(pooled);
            case Stage.Single(Op.Embedding op, Value output) -> embedding(op, workspace.tensor(output));
            case Stage.Single(Op.LayerNorm op, Value output) -> layerNorm(op, workspace.tensor(output));
            case Stage.Single(Op.Attention op, Value output) -> attention(op, output);
            case Stage.Single(Op.RmsNorm op, Value output) -> rmsNorm(op, workspace.tensor(output));
            case Stage.Single(Op.Multiply op, Value output) -> multiply(op, workspace.tensor(output));
            case Stage.Single(Op.Activate op, Value output) -> activate(op, workspace.tensor(output));
            case Stage.Single(Op.Add op, Value output) -> add(op, workspace.tensor(output));
            case Stage.Single(Op.Normalize op, Value output) -> normalize(op, workspace.tensor(output));
            case Stage.Single(Op.Linear _, _), Stage.Single(Op.Pool _, _) -> throw new AssertionError(stage);
        };
    }

    private Call product(Stage.Product stage) {
        Rows rows = stage.x().rows();
        Tensor x = workspace.tensor(stage.x());
        Tensor residual = stage.residual() == null ? null : workspace.tensor(stage.residual());
        Tensor out = workspace.tensor(stage);
        Constants.Packed packed = constants.get(stage);
        return (kernels, tokens, sequences) -> kernels.linear(rows.count(tokens, sequences), x, packed.weight(),
                packed.bias(), stage.activation(), residual, out);
    }

    private Call pooled(Stage.Pooled stage) {
        Tensor x = workspace.tensor(stage.x());
        Tensor out = workspace.tensor(stage.output());
        return (kernels, _, sequences) ->
                kernels.pool(sequences, x, workspace.offsets(), stage.mode(), stage.normalize(), out);
    }

    private Call embedding(Op.Embedding op, Tensor out) {
        Tensor words = constants.get(op.words());
        Tensor positions = constants.get(op.positions());
        Tensor type = constants.get(op.type());
        Tensor starts = workspace.starts();
        return (kernels, _, sequences) -> kernels.embedding(sequences, workspace.ids(), workspace.offsets(), starts,
                words, op.scale(), positions, op.firstPosition(), type, out);
    }

    private Call layerNorm(Op.LayerNorm op, Tensor out) {
        Tensor x = workspace.tensor(op.x());
        Tensor gamma = constants.get(op.gamma());
        Tensor beta = constants.get(op.beta());
        return (kernels, tokens, sequences) ->
                kernels.layerNorm(op.rows().count(tokens, sequences), x, gamma, beta, op.epsilon(), out);
    }

    private Call rmsNorm(Op.RmsNorm op, Tensor out) {
        Tensor x = workspace.tensor(op.x());
        Tensor gamma = constants.get(op.gamma());
        return (kernels, tokens, sequences) ->
                kernels.rmsNorm(op.rows().count(tokens, sequences), x, gamma, op.epsilon(), out);
    }

    private Call attention(Op.Attention op, Value output) {
        AttentionSpec spec = op.spec();
        Tensor q = heads(workspace.tensor(op.q()), spec.heads());
        Tensor k = op.k() == null ? null : heads(workspace.tensor(op.k()), spec.kvHeads());
        Tensor v = op.v() == null ? null : heads(workspace.tensor(op.v()), spec.kvHeads());
        Tensor out = heads(workspace.tensor(output), spec.heads());
        Tensor offsets = workspace.offsets();
        KvCache cache = op.cache() == null ? null : workspace.cache(op.cache());
        var tensors = new AttentionTensors(q, k, v, cache, offsets, offsets, null, null, out, null,
                workspace.pattern(output));
        if (cache == null) {
            return (kernels, _, sequences) ->
                    kernels.attention(sequences, spec, tensors, k, v, offsets, offsets, null, attentionScratch);
        }
        Attention attention = workspace.attention(spec);
        return (_, _, sequences) -> {
            if (k != null) {
                cache.append(k, v, offsets);
            }
            attention.run(sequences, tensors);
        };
    }

    private Call multiply(Op.Multiply op, Tensor out) {
        var elementwise = new Elementwise(op.columns());
        Tensor a = workspace.tensor(op.a());
        Tensor b = workspace.tensor(op.b());
        return (_, tokens, sequences) -> elementwise.multiply(op.rows().count(tokens, sequences), a, b, out);
    }

    private Call activate(Op.Activate op, Tensor out) {
        var elementwise = new Elementwise(op.columns());
        Tensor x = workspace.tensor(op.x());
        return (_, tokens, sequences) ->
                elementwise.activate(op.rows().count(tokens, sequences), x, op.activation(), out);
    }

    private Call add(Op.Add op, Tensor out) {
        var elementwise = new Elementwise(op.columns());
        Tensor a = workspace.tensor(op.a());
        Tensor b = workspace.tensor(op.b());
        return (_, tokens, sequences) -> elementwise.add(op.rows().count(tokens, sequences), a, b, out);
    }

    private Call normalize(Op.Normalize op, Tensor out) {
        var elementwise = new Elementwise(op.columns());
        Tensor x = workspace.tensor(op.x());
        return (_, tokens, sequences) -> elementwise.normalize(op.rows().count(tokens, sequences), x, out);
    }

    /** [rows, heads · dim] as [rows, heads, dim]. */
    private static Tensor heads(Tensor matrix, int heads) {
        long dim = matrix.size(1) / heads;
        return Tensor.of(matrix.segment(), DType.F32, Shape.of(matrix.size(0), heads, dim), matrix.stride(0), dim, 1);
    }
}
