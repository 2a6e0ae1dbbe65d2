package dev.fovea.graph;

import dev.fovea.internal.backend.Operand;
import dev.fovea.internal.backend.Step;
import dev.fovea.ops.Activation;
import dev.fovea.tensor.DType;
import java.util.ArrayList;
import java.util.List;

/** The last pass: stages, whose values have their places, as the steps that backends compile. */
record StepEmission(MemoryPlan memory) {
    List<Step> steps(List<Stage> stages) {
        List<Step> steps = new ArrayList<>();
        for (Stage stage : stages) {
            if (stage instanceof Stage.Product product) {
                steps.add(linear(product));
            } else if (stage instanceof Stage.Pooled(Value x, var mode, boolean normalize, Value output)) {
                steps.add(new Step.Pool(operand(x), mode, normalize, operand(output)));
            } else if (stage instanceof Stage.Single(BatchOp op, Value output)) {
                emit(op, output, steps);
            } else if (stage instanceof Stage.Single(Op op, Value output)) {
                emit(op, output, steps);
            }
        }
        return List.copyOf(steps);
    }

    /** Where values lie. */
    List<Operand> operands(List<Value> values) {
        List<Operand> operands = new ArrayList<>();
        for (Value value : values) {
            operands.add(operand(value));
        }
        return operands;
    }

    private Operand operand(Value value) {
        return operand(value, value.columns(), value.dtype());
    }

    private Operand operand(Value first, int columns, DType dtype) {
        MemoryPlan.Buffer buffer = memory.buffer(first);
        return new Operand(first.rows(), buffer.offset(), buffer.columns(), memory.firstColumn(first), columns, dtype);
    }

    private Step linear(Stage.Product product) {
        List<Step.Part> parts = new ArrayList<>();
        for (Stage.Part part : product.parts()) {
            parts.add(new Step.Part(part.weight(), part.bias()));
        }
        return new Step.Linear(operand(product.x()), parts,
                product.activation(), product.residual() == null ? null : operand(product.residual()),
                operand(product.output(), product.columns(), DType.F32));
    }

    /** A product per head, of its columns. */
    private void headLinear(BatchOp.HeadLinear op, Value output, List<Step> steps) {
        int outputs = output.columns() / op.heads();
        for (int head = 0; head < op.heads(); head++) {
            var part = new Step.Part(op.weight().rows((long) head * outputs, outputs), null);
            steps.add(new Step.Linear(columns(op.x(), head, op.heads()), List.of(part), Activation.NONE, null,
                    columns(output, head, op.heads())));
        }
    }

    /** A norm per head, of its columns: so no backend has another. */
    private void headNorm(BatchOp.HeadNorm op, Value output, List<Step> steps) {
        for (int head = 0; head < op.heads(); head++) {
            steps.add(new Step.RmsNorm(columns(op.x(), head, op.heads()), op.gamma(), op.epsilon(),
                    columns(output, head, op.heads())));
        }
    }

    private Operand columns(Value value, int part, int parts) {
        Operand whole = operand(value);
        int columns = value.columns() / parts;
        return new Operand(whole.rows(), whole.offset(), whole.stride(), whole.firstColumn() + part * columns, columns,
                whole.dtype());
    }

    private void attention(Op.Attention op, Operand out, List<Step> steps) {
        Step.Cache cache = op.cache() == null ? null : cache(op.cache());
        if (cache != null && op.k() != null) {
            steps.add(new Step.Append(op.cache().spec(), operand(op.k()), operand(op.v()), cache));
        }
        boolean own = cache == null;
        steps.add(new Step.Attention(op.spec(), operand(op.q()), own ? operand(op.k()) : null,
                own ? operand(op.v()) : null, cache, op.bias() == null ? null : operand(op.bias()), out));
    }

    private static Step.Cache cache(CacheSlot slot) {
        return new Step.Cache(slot.group().index(), slot.index());
    }

    private void emit(Op op, Value output, List<Step> steps) {
        Operand out = operand(output);
        switch (op) {
            case Op.Embedding(_, var words, float scale, var positions, int firstPosition, var type) ->
                steps.add(new Step.Embedding(words, scale, positions, firstPosition, type, out));
            case Op.LayerNorm(_, Value x, var gamma, var beta, float epsilon) ->
                steps.add(new Step.LayerNorm(operand(x), gamma, beta, epsilon, out));
            case Op.RmsNorm(_, Value x, var gamma, float epsilon) ->
                steps.add(new Step.RmsNorm(operand(x), gamma, epsilon, out));
            case Op.Add(_, Value a, Value b) -> steps.add(new Step.Add(operand(a), operand(b), out));
            case Op.Multiply(_, Value a, Value b) ->
                steps.add(new Step.Multiply(operand(a), Activation.NONE, operand(b), out));
            case Op.Activate(_, Value x, Activation activation) -> steps.add(new Step.Activate(operand(x), activation, out));
            case Op.Normalize(_, Value x) -> steps.add(new Step.Normalize(operand(x), out));
            case Op.MatMul(_, Value a, Value b, boolean transposeA) ->
                steps.add(new Step.MatMul(operand(a), operand(b), transposeA, out));
            case Op.Attention attention -> attention(attention, out, steps);
            case Op.Append(_, Value k, Value v, CacheSlot slot) ->
                steps.add(new Step.Append(slot.spec(), operand(k), operand(v), cache(slot)));
            case Op.LogSoftmax(_, Value x) -> steps.add(new Step.LogSoftmax(operand(x), out));
            case Op.TopK(_, Value x, _) -> steps.add(new Step.TopK(operand(x), out));
            case Op.Gather(_, Value x, Value indices) -> steps.add(new Step.Gather(operand(x), operand(indices), out));
            case Op.Linear _, Op.Pool _, BatchOp _ -> throw new AssertionError(op);
        }
    }

    /** Apart from the others, so that models without these ops load none of their classes. */
    private void emit(BatchOp op, Value output, List<Step> steps) {
        switch (op) {
            case BatchOp.TokenTypes(_, var table) -> steps.add(new Step.TokenTypes(table, operand(output)));
            case BatchOp.RelativeBias(_, int heads, var table, Value byQuery, Value byKey, var buckets, CacheGroup group) ->
                steps.add(new Step.RelativeBias(heads, table, byQuery == null ? null : operand(byQuery),
                        byKey == null ? null : operand(byKey), buckets, group == null ? null : new Step.Cache(group.index(), 0),
                        operand(output)));
            case BatchOp.HeadLinear linear -> headLinear(linear, output, steps);
            case BatchOp.HeadNorm norm -> headNorm(norm, output, steps);
        }
    }
}
