package dev.fovea.graph;

import dev.fovea.ops.Activation;
import dev.fovea.ops.Pooling;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The first pass: one stage per op, without the ops that neither an output nor a cache depends on. */
final class Lowering {
    private Lowering() {}

    static List<Stage> lower(Graph graph) {
        Set<Value> needed = new HashSet<>(graph.outputs());
        List<Op> ops = graph.ops();
        for (int i = ops.size() - 1; i >= 0; i--) {
            if (ops.get(i) instanceof Op.Append) {
                needed.add(graph.values().get(i));
            }
            if (needed.contains(graph.values().get(i))) {
                needed.addAll(ops.get(i).inputs());
            }
        }
        List<Stage> stages = new ArrayList<>();
        for (int i = 0; i < ops.size(); i++) {
            Value output = graph.values().get(i);
            if (needed.contains(output)) {
                stages.add(stage(ops.get(i), output));
            }
        }
        return stages;
    }

    private static Stage stage(Op op, Value output) {
        return switch (op) {
            case Op.Linear(_, Value x, var weight, var bias) ->
                new Stage.Product(x, List.of(new Stage.Part(weight, bias, output)), Activation.NONE, null);
            case Op.Pool(_, Value x, Pooling mode) -> new Stage.Pooled(x, mode, false, output);
            default -> new Stage.Single(op, output);
        };
    }
}
